"""Takeover of a session while its previous stream still commits words, on a real PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import sleep

from django.db import transaction

from accounts.models import User
from speech.events import Word
from speech.models import Counts, Session
from tests.support.servers.databases import default_database


def test_a_claim_waits_for_the_commit_of_the_previous_stream(postgres_url, django_db_blocker):
    has_committed = Event()

    def claim(owner, session):
        with default_database(postgres_url):
            has_committed.wait(30)
            return Session.acquire(owner, session.pk)

    with django_db_blocker.unblock(), default_database(postgres_url), ThreadPoolExecutor(1) as pool:
        owner = User.objects.create_user("ada@example.org", status="approved")
        session = Session.acquire(owner, None)
        session.start("checksum", "en")
        claiming = pool.submit(claim, owner, session)
        with transaction.atomic():
            session.commit(24_000, [Word(0, 0, "hello", 0.1, 0.5, 0.9)], [], Counts(24_000, 0, 0))
            has_committed.set()
            sleep(0.3)  # so that the claim runs into the open transaction
        claimed = claiming.result(30)
        assert (claimed.samples, claimed.words.count()) == (24_000, 1)
        assert not session.commit(48_000, [], [], Counts(48_000, 0, 0))
