"""The list of sessions: found, sorted, tagged, deleted and put back, each by its owner alone."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from speech.models import Session
from tests.support.speech.sessions import said, somebody


@pytest.fixture
def pages(owner):
    client = Client()
    client.force_login(owner)
    return client


def listed(pages, **wanted):
    return [session.opening for session in pages.get("/sessions/", wanted).context["page_obj"]]


def do(pages, what, *sessions, **fields):
    ticked = [str(session.pk) for session in sessions]
    return pages.post("/sessions/bulk/", {"do": what, "session": ticked, **fields}, follow=True)


def test_it_is_sorted_by_time_length_and_title(pages, owner):
    long = said(owner, "b is a long one of many words")
    short = said(owner, "a is short")
    Session.objects.filter(pk=short.pk).update(created_at=timezone.now() + timedelta(hours=1))
    assert listed(pages) == listed(pages, sort="title") == [short.opening, long.opening]
    assert listed(pages, sort="oldest") == listed(pages, sort="longest") == [long.opening, short.opening]


def test_it_is_filtered_by_tag_language_and_day(pages, owner):
    first, second = said(owner, "first"), said(owner, "second")
    first.tag_as(["Garden"])
    Session.objects.filter(pk=second.pk).update(language="fr", created_at=timezone.now() - timedelta(days=3))
    yesterday = (timezone.now() - timedelta(days=1)).date().isoformat()
    assert listed(pages, tag="Garden") == listed(pages, language="en") == listed(pages, since=yesterday) == ["first"]
    assert listed(pages, language="fr") == listed(pages, until=yesterday) == ["second"]
    assert listed(pages, tag="Garden", language="fr") == []


@pytest.mark.parametrize(
    "wanted",
    [{"sort": "x"}, {"since": "soon"}, {"page": "-3"}, {"before": "x" * 99}, {"q": "\x00"}, {"before": "9" * 30}],
)
def test_what_cannot_be_understood_is_not_asked_for(pages, owner, wanted):
    said(owner, "first")
    assert pages.get("/sessions/", wanted).status_code == 200


def test_what_was_found_is_marked_and_links_to_its_moment(pages, owner):
    session = said(owner, "in the heart of paris", "is the crystal palace")
    segment = session.segments.last()
    html = pages.get("/sessions/", {"q": "crystal"}).content.decode()
    assert f'<a href="/sessions/{session.pk}/?q=crystal#u{segment.pk}">is the <mark>crystal</mark> palace' in html
    assert "Nothing found" in pages.get("/sessions/", {"q": "diamond"}).content.decode()


def test_titles_and_tags_are_found_too(pages, owner):
    session = said(owner, "hello")
    session.tag_as(["garden"])
    Session.objects.filter(pk=session.pk).update(title="About the bridge")
    for text in ("bridge", "Garden"):
        assert [found.pk for found in pages.get("/sessions/", {"q": text}).context["titled"]] == [session.pk]


def test_found_ones_come_in_pages(pages, owner):
    said(owner, *(f"number {n}" for n in range(40)))
    first = pages.get("/sessions/", {"q": "number"})
    second = pages.get("/sessions/", {"q": "number", "before": first.context["older"]})
    texts = [p.segment.text for page in (second, first) for _, passages in page.context["found"] for p in passages]
    assert texts == [f"number {n}" for n in range(40)]
    assert second.context["older"] is None


def test_many_are_tagged_and_untagged(pages, owner):
    one, two = said(owner, "one"), said(owner, "two")
    do(pages, "tag", one, two, tag=" Garden ")
    do(pages, "tag", one, tag="garden")
    assert [[str(tag) for tag in session.tags.all()] for session in (one, two)] == [["Garden"], ["Garden"]]
    do(pages, "untag", one, tag="GARDEN")
    assert listed(pages, tag="Garden") == ["two"]


def test_many_are_deleted_and_put_back(pages, owner):
    one, two, _ = (said(owner, text) for text in ("one", "two", "three"))
    page = do(pages, "delete", one, two)
    assert listed(pages) == ["three"]
    assert "2 sessions were deleted." in page.content.decode()
    pages.post("/sessions/undo/", {"at": page.context["undo"]["at"]})
    assert sorted(listed(pages)) == ["one", "three", "two"]


def test_what_was_deleted_is_put_back_later_or_is_gone_for_good(pages, owner):
    one, two = said(owner, "one"), said(owner, "two")
    do(pages, "delete", one)
    do(pages, "delete", two)
    assert pages.get(f"/sessions/{one.pk}/").status_code == 404
    assert [session.opening for session in pages.get("/sessions/deleted/").context["sessions"]] == ["two", "one"]
    pages.post(f"/sessions/deleted/{one.pk}/put-back/")
    pages.post("/sessions/deleted/for-good/")
    assert listed(pages) == ["one"]
    assert not Session.objects.filter(pk=two.pk).exists()


def test_one_that_still_goes_on_is_not_deleted(pages, owner):
    session = Session.acquire(owner, None)
    session.begin("checksum", "en")
    assert "has to end first" in do(pages, "delete", session).content.decode()
    assert Session.objects.of(owner).exists()


def test_nobody_does_anything_to_the_sessions_of_others(pages, owner):
    other = said(somebody("eve@example.org"), "not yours")
    do(pages, "delete", other)
    do(pages, "tag", other, tag="mine")
    Session.objects.filter(pk=other.pk).soft_delete()
    other.refresh_from_db()
    assert pages.post(f"/sessions/deleted/{other.pk}/put-back/").status_code == 404
    pages.post("/sessions/undo/", {"at": other.deleted_at.isoformat()})
    pages.post("/sessions/deleted/for-good/")
    other.refresh_from_db()
    assert other.deleted_at
    assert not other.tags.exists()


def test_the_list_asks_the_database_as_often_for_many_as_for_one(pages, owner):
    queries = []
    for count in (1, 29):
        for n in range(count):
            said(owner, f"number {n}", "again").tag_as([f"tag {n}"])
        for wanted in ({}, {"q": "number"}):
            with CaptureQueriesContext(connection) as counted:
                pages.get("/sessions/", wanted)
            queries.append(len(counted))
    assert queries[:2] == queries[2:]
