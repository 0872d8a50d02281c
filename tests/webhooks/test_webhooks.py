"""Deliveries: order, retries, signatures, blocked addresses, and the pages."""

import asyncio
import json
import socket
from datetime import timedelta
from ipaddress import ip_address

import httpcore
import openai
import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.credentials.throttling import WebhookThrottle
from accounts.models import User
from speech.egress_guard import AddressBlocked, PublicNetwork, is_public
from tests.webhooks.receiver import running_receiver
from webhooks import models, sender
from webhooks.models import Delivery, Event, Webhook
from webhooks.sender import Sender

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def receiver():
    with running_receiver() as receiver:
        yield receiver


@pytest.fixture
def user(db):
    return User.objects.create_user("user@example.org", status="approved")


@pytest.fixture
def webhook(user, receiver, settings):
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = True
    return Webhook.objects.create(owner=user, url=receiver.url, events=list(Event.values))


@pytest.fixture(autouse=True)
def _short_delays(monkeypatch):
    monkeypatch.setattr(models, "RETRY_DELAYS", (timedelta(seconds=0.01),) * 3)
    monkeypatch.setattr(sender, "POLL_INTERVAL", 0.01)


async def send_until(done, limit=60):
    task = asyncio.create_task(Sender().run())
    try:
        async with asyncio.timeout(limit):
            while not await asyncio.to_thread(done):
                await asyncio.sleep(0.02)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def nothing_is_pending():
    return not Delivery.objects.pending().exists()


def numbers(receiver):
    return [json.loads(body)["data"]["number"] for _, body in receiver.accepted]


async def test_failed_deliveries_are_retried_in_order(webhook, receiver):
    receiver.script = [500, 503, 0.0]
    for number in range(3):
        await asyncio.to_thread(webhook.enqueue, "test", {"number": number})
    await send_until(nothing_is_pending)
    assert numbers(receiver) == [0, 1, 2]
    ids = [headers["webhook-id"] for headers, _, _ in receiver.received]
    assert len(set(ids[:4])) == 1  # each attempt has the id of the first
    assert len(set(ids)) == 3
    first = await asyncio.to_thread(Delivery.objects.earliest, "number")
    assert (first.attempts, first.last_response) == (4, "HTTP 200")


async def test_a_receiver_that_does_not_respond_in_time_fails(webhook, receiver, monkeypatch):
    monkeypatch.setattr(sender, "RESPONSE_TIMEOUT", 0.05)
    receiver.script = [30.0] * 4
    await asyncio.to_thread(webhook.enqueue, "test", {"number": 1})
    await send_until(nothing_is_pending)
    delivery = await asyncio.to_thread(webhook.deliveries.get)
    assert (delivery.attempts, delivery.last_response) == (4, "No response within 0 s.")


async def test_openais_library_verifies_the_signature(webhook, receiver):
    await asyncio.to_thread(webhook.enqueue, "test", {"number": 1, "text": "“naïve”"})
    await send_until(nothing_is_pending)
    headers, body = receiver.accepted[0]
    client = openai.OpenAI(api_key="none")
    client.webhooks.verify_signature(body, headers, secret=webhook.secret)
    with pytest.raises(openai.InvalidWebhookSignatureError):
        client.webhooks.verify_signature(body + b" ", headers, secret=webhook.secret)


async def test_an_unreachable_receiver_fails_without_delaying_others(webhook, receiver, user):
    dead = await asyncio.to_thread(lambda: Webhook.objects.create(owner=user, url="http://127.0.0.1:1/", events=[]))
    await asyncio.to_thread(dead.enqueue, "test", {})
    await asyncio.to_thread(webhook.enqueue, "test", {"number": 1})
    await send_until(nothing_is_pending)
    assert numbers(receiver) == [1]
    failed = await asyncio.to_thread(dead.deliveries.get)
    assert failed.failed_at
    assert failed.attempts == 4


async def test_an_unexpected_error_fails_one_delivery_and_no_other(webhook, receiver, user, monkeypatch):
    other = await asyncio.to_thread(
        lambda: Webhook.objects.create(owner=user, url="https://fault.example/", events=list(Event.values))
    )
    post = sender.post

    async def post_or_raise(delivery):
        if delivery.webhook_id == other.pk:
            raise RuntimeError("a bug")
        return await post(delivery)

    monkeypatch.setattr(sender, "post", post_or_raise)
    for each in (other, webhook):
        await asyncio.to_thread(each.enqueue, "test", {"number": 1})
    await send_until(nothing_is_pending)
    assert numbers(receiver) == [1]
    failed = await asyncio.to_thread(Delivery.objects.get, webhook=other)
    assert failed.failed_at
    assert failed.last_response == "a bug"


async def test_an_expired_lease_is_sent_by_another_process(webhook, receiver):
    await asyncio.to_thread(webhook.enqueue, "test", {"number": 1})
    assert len(await asyncio.to_thread(Delivery.claim, 5)) == 1
    assert await asyncio.to_thread(Delivery.claim, 5) == []  # while it is leased
    past = timezone.now() - timedelta(seconds=1)
    await asyncio.to_thread(lambda: Delivery.objects.update(lease_expires_at=past))
    await send_until(nothing_is_pending)
    assert numbers(receiver) == [1]


async def test_a_redirect_is_not_followed(webhook, receiver):
    receiver.script = [302]
    await asyncio.to_thread(webhook.enqueue, "test", {"number": 1})
    await send_until(nothing_is_pending)
    assert [status for _, _, status in receiver.received] == [302, 200]


async def test_private_addresses_are_blocked(webhook, receiver, settings):
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = False
    await asyncio.to_thread(webhook.enqueue, "test", {"number": 1})
    await send_until(nothing_is_pending)
    assert receiver.received == []
    delivery = await asyncio.to_thread(webhook.deliveries.get)
    assert "127.0.0.1 doesn't have a public address." in delivery.last_response


async def test_the_error_does_not_reveal_whether_a_private_name_exists_or_its_address(monkeypatch):
    async def resolve(host, port, **kwargs):
        if host == "unknown.internal":
            raise socket.gaierror(-2, "Name or service not known")
        return [(None, None, None, None, ("10.1.2.3", port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    errors = []
    for host in ("unknown.internal", "database.internal"):
        with pytest.raises(AddressBlocked) as blocked:
            await PublicNetwork().connect_tcp(host, 443)
        errors.append(str(blocked.value).replace(host, "HOST"))
    assert errors[0] == errors[1]
    assert "10.1.2.3" not in errors[1]


async def test_the_checked_address_is_the_one_connected_to(settings, monkeypatch):
    """A host name is resolved only once, which prevents DNS rebinding."""
    connections = []

    class Network(httpcore.AnyIOBackend):
        async def connect_tcp(self, host, port, *args, **kwargs):
            connections.append(host)
            raise httpcore.ConnectError

    async def resolve(host, port, **kwargs):
        return [(None, None, None, None, ("93.184.216.34" if not connections else "127.0.0.1", port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    network = PublicNetwork()
    network._network = Network()
    with pytest.raises(httpcore.ConnectError):
        await network.connect_tcp("example.org", 443)
    assert connections == ["93.184.216.34"]
    with pytest.raises(AddressBlocked):
        await network.connect_tcp("example.org", 443)
    assert connections == ["93.184.216.34"]


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
def test_public_addresses(address, public):
    assert is_public(ip_address(address)) is public


def test_a_finished_session_is_delivered(webhook, user):
    from tests.api.sample_data import create_session

    create_session(user.email)
    delivery = webhook.deliveries.get()
    assert (delivery.event, delivery.data["title"], delivery.data["duration"]) == ("session.finished", "Hello", 1.0)


def test_a_sign_up_is_delivered_to_administrators_only(webhook, receiver):
    admin = User.objects.create_superuser("admin@example.org")
    admin_webhook = Webhook.objects.create(owner=admin, url=receiver.url, events=[Event.USER_PENDING])
    form = {"email": "new@example.org", "password1": "correct horse battery", "password2": "correct horse battery"}
    Client().post("/accounts/signup/", form)
    assert admin_webhook.deliveries.get().data["email"] == "new@example.org"
    assert not webhook.deliveries.exists()


@pytest.fixture
def client(user):
    client = Client()
    client.force_login(user)
    return client


def test_a_webhook_is_created_tested_and_deleted(client, user):
    form = {"url": "https://example.org/hook", "events": ["session.finished"]}
    page = client.post("/accounts/webhooks/", form, follow=True)
    webhook = user.webhooks.get()
    assert webhook.secret in page.content.decode()
    client.post(f"/accounts/webhooks/{webhook.pk}/test/")
    assert "webhook.test" in client.get(f"/accounts/webhooks/{webhook.pk}/").content.decode()
    client.post(f"/accounts/webhooks/{webhook.pk}/delete/")
    assert not user.webhooks.exists()


def test_tests_and_retries_are_limited(client, webhook, monkeypatch):
    cache.clear()
    monkeypatch.setitem(WebhookThrottle.THROTTLE_RATES, "webhooks", "2/min")
    for path in ("test/", "retry/"):
        client.post(f"/accounts/webhooks/{webhook.pk}/{path}")
    page = client.post(f"/accounts/webhooks/{webhook.pk}/test/", follow=True).content.decode()
    assert "Nothing was sent." in page
    assert webhook.deliveries.count() == 1


@pytest.mark.parametrize("url", ["http://example.org/", "ftp://example.org/", "https://me:secret@example.org/", "x"])
def test_invalid_urls_are_rejected(client, user, url):
    client.post("/accounts/webhooks/", {"url": url, "events": ["session.finished"]})
    assert not user.webhooks.exists()


def test_webhooks_of_others_are_not_found(webhook):
    stranger = Client()
    stranger.force_login(User.objects.create_user("stranger@example.org", status="approved"))
    for path in ("", "test/", "retry/", "delete/"):
        send = stranger.get if not path else stranger.post
        assert send(f"/accounts/webhooks/{webhook.pk}/{path}").status_code == 404


def test_only_administrators_can_subscribe_to_sign_ups(client, user):
    client.post("/accounts/webhooks/", {"url": "https://example.org/", "events": ["user.pending"]})
    assert not user.webhooks.exists()
