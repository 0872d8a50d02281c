"""What is sent, in which order, how often, and where never."""

import asyncio
import json
from datetime import timedelta
from ipaddress import ip_address

import httpcore
import openai
import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from tests.webhooks.receiver import receiving
from webhooks import models, sender
from webhooks.egress_guard import AddressBlocked, PublicNetwork, is_public
from webhooks.models import Delivery, Event, Webhook
from webhooks.sender import Sender

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def receiver():
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def user(db):
    return User.objects.create_user("user@example.org", status="approved")


@pytest.fixture
def webhook(user, receiver, settings):
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = True
    return Webhook.objects.create(owner=user, url=receiver.url, events=list(Event.values))


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch):
    monkeypatch.setattr(models, "RETRIES", (timedelta(seconds=0.05),) * 7)
    monkeypatch.setattr(sender, "POLL_INTERVAL", 0.05)
    monkeypatch.setattr(sender, "RESPONSE_TIMEOUT", 3.0)


async def send_until(done, within=60):
    task = asyncio.create_task(Sender().run())
    try:
        async with asyncio.timeout(within):
            while not await asyncio.to_thread(done):
                await asyncio.sleep(0.05)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def nothing_waits():
    return not Delivery.objects.pending().exists()


def numbers(receiver):
    return [json.loads(body)["data"]["number"] for _, body in receiver.accepted]


async def test_a_receiver_that_fails_twice_and_times_out_gets_each_once_and_in_order(webhook, receiver):
    receiver.does = [500, 503, 4.0]
    for number in range(3):
        await asyncio.to_thread(webhook.enqueue, "test", {"number": number})
    await send_until(nothing_waits)
    assert numbers(receiver) == [0, 1, 2]
    ids = [headers["webhook-id"] for headers, _, _ in receiver.received]
    assert len(set(ids[:4])) == 1  # each attempt has the id of the first
    assert len(set(ids)) == 3
    first = await asyncio.to_thread(Delivery.objects.earliest, "number")
    assert (first.attempts, first.last_response) == (4, "Answered with 200.")


async def test_a_library_of_others_verifies_the_signature(webhook, receiver):
    await asyncio.to_thread(webhook.enqueue, "test", {"number": 1, "text": "“naïve”"})
    await send_until(nothing_waits)
    headers, body = receiver.accepted[0]
    client = openai.OpenAI(api_key="none")
    client.webhooks.verify_signature(body, headers, secret=webhook.secret)
    with pytest.raises(openai.InvalidWebhookSignatureError):
        client.webhooks.verify_signature(body + b" ", headers, secret=webhook.secret)


async def test_one_that_never_answers_is_given_up_and_holds_up_nobody_else(webhook, receiver, user):
    dead = await asyncio.to_thread(lambda: Webhook.objects.create(owner=user, url="http://127.0.0.1:1/", events=[]))
    await asyncio.to_thread(dead.enqueue, "test", {})
    await asyncio.to_thread(webhook.enqueue, "test", {"number": 1})
    await send_until(nothing_waits)
    assert numbers(receiver) == [1]
    given_up = await asyncio.to_thread(dead.deliveries.get)
    assert given_up.failed_at
    assert given_up.attempts == 8


async def test_what_a_process_held_that_died_is_sent_by_another(webhook, receiver):
    await asyncio.to_thread(webhook.enqueue, "test", {"number": 1})
    assert len(await asyncio.to_thread(Delivery.claim, 5)) == 1
    assert await asyncio.to_thread(Delivery.claim, 5) == []  # while it is held
    past = timezone.now() - timedelta(seconds=1)
    await asyncio.to_thread(lambda: Delivery.objects.update(lease_expires_at=past))
    await send_until(nothing_waits)
    assert numbers(receiver) == [1]


async def test_a_redirect_is_not_followed(webhook, receiver):
    receiver.does = [302]
    await asyncio.to_thread(webhook.enqueue, "test", {"number": 1})
    await send_until(nothing_waits)
    assert [status for _, _, status in receiver.received] == [302, 200]


async def test_a_private_address_is_refused(webhook, receiver, settings):
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = False
    await asyncio.to_thread(webhook.enqueue, "test", {"number": 1})
    await send_until(nothing_waits)
    assert receiver.received == []
    told = await asyncio.to_thread(webhook.deliveries.get)
    assert "127.0.0.1, which is not on the public internet" in told.last_response


async def test_the_address_that_was_looked_at_is_the_one_that_is_asked(settings, monkeypatch):
    """A name that leads elsewhere the second time (DNS rebinding) is not resolved a second time."""
    asked = []

    class Network(httpcore.AnyIOBackend):
        async def connect_tcp(self, host, port, *args, **kwargs):
            asked.append(host)
            raise httpcore.ConnectError

    async def resolve(host, port, **kwargs):
        return [(None, None, None, None, ("93.184.216.34" if not asked else "127.0.0.1", port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    network = PublicNetwork()
    network._network = Network()
    with pytest.raises(httpcore.ConnectError):
        await network.connect_tcp("example.org", 443)
    assert asked == ["93.184.216.34"]
    with pytest.raises(AddressBlocked):
        await network.connect_tcp("example.org", 443)
    assert asked == ["93.184.216.34"]


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("192.168.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:93.184.216.34", True),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_what_is_on_the_public_internet(address, public):
    assert is_public(ip_address(address)) is public


# --- What is told of ------------------------------------------------------------------------------------------------


def test_a_session_that_is_over(webhook, user):
    from tests.api.made import make

    make(user.email)
    told = webhook.deliveries.get()
    assert (told.event, told.data["title"], told.data["duration"]) == ("session.finished", "Hello", 1.0)


def test_administrators_hear_of_who_waits_and_others_do_not(webhook, receiver):
    admin = User.objects.create_superuser("admin@example.org")
    mine = Webhook.objects.create(owner=admin, url=receiver.url, events=[Event.USER_PENDING])
    form = {"email": "new@example.org", "password1": "correct horse battery", "password2": "correct horse battery"}
    Client().post("/accounts/signup/", form)
    assert mine.deliveries.get().data["email"] == "new@example.org"
    assert not webhook.deliveries.exists()


# --- The pages ------------------------------------------------------------------------------------------------------


@pytest.fixture
def client(user):
    client = Client()
    client.force_login(user)
    return client


def test_one_is_made_tried_and_deleted(client, user):
    form = {"url": "https://example.org/hook", "events": ["session.finished"]}
    page = client.post("/accounts/webhooks/", form, follow=True)
    webhook = user.webhooks.get()
    assert webhook.secret in page.content.decode()
    client.post(f"/accounts/webhooks/{webhook.pk}/test/")
    assert "webhook.test" in client.get(f"/accounts/webhooks/{webhook.pk}/").content.decode()
    client.post(f"/accounts/webhooks/{webhook.pk}/delete/")
    assert not user.webhooks.exists()


@pytest.mark.parametrize("url", ["http://example.org/", "ftp://example.org/", "https://me:secret@example.org/", "x"])
def test_an_address_that_is_none(client, user, url):
    client.post("/accounts/webhooks/", {"url": url, "events": ["session.finished"]})
    assert not user.webhooks.exists()


def test_those_of_others_are_not_there(webhook):
    stranger = Client()
    stranger.force_login(User.objects.create_user("stranger@example.org", status="approved"))
    for path in ("", "test/", "again/", "delete/"):
        ask = stranger.get if not path else stranger.post
        assert ask(f"/accounts/webhooks/{webhook.pk}/{path}").status_code == 404


def test_only_an_administrator_may_be_told_of_others(client, user):
    client.post("/accounts/webhooks/", {"url": "https://example.org/", "events": ["user.pending"]})
    assert not user.webhooks.exists()
