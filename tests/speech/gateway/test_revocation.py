"""What a credential opened ends with it: notices, and the sweep that needs none. Inside the test process."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from channels.testing import WebsocketCommunicator
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from accounts.credentials.principal import Caller
from accounts.models import Token, User
from accounts.models.signals import credentials_ended, status_changed, token_revoked
from accounts.scopes import scopes_of
from dsm_site.asgi import application
from speech.dialects.browser import socket as browser_socket
from speech.dialects.sockets import api_socket
from speech.errors import CloseCode, NotApproved, NotAuthenticated
from speech.gateway import revocation
from speech.gateway.database import in_database
from speech.gateway.revocation import Sweep, revocation_guard

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_engines")]

HANG = 30.0  # seconds
SCOPES = scopes_of("stt tts sessions")


@pytest.fixture
def _quick_sweeps(monkeypatch):
    """No test waits for two seconds; the notices would come first otherwise."""
    monkeypatch.setattr(revocation, "SWEEP_INTERVAL", 0.02)
    monkeypatch.setattr(revocation, "broadcast", lambda topic: None)


@pytest.fixture
def _no_sweeps(monkeypatch):
    """Only notices."""
    monkeypatch.setattr(revocation, "SWEEP_INTERVAL", 1000.0)


def create_user():
    return User.objects.create_user("ada@example.org", "an unguessable passphrase", status="approved")


def create_token(user):
    return Token.create(user, Token.Kind.API, "a program", SCOPES, timedelta(days=1))


@asynccontextmanager
async def guarded(caller):
    """Yields a future of the error with which the guard ends what the caller has opened."""
    error = asyncio.get_running_loop().create_future()
    async with asyncio.timeout(HANG), revocation_guard(caller, error.set_result):
        yield error


async def ended_by(change, caller, *arguments):
    async with guarded(caller) as error:
        await in_database(change, *arguments)
        return await error


def deactivate():
    User.objects.update(is_active=False)


def reject_without_models():
    User.objects.update(status="rejected", decision_reason="left the team")


def delete():
    User.objects.all().delete()


ACCOUNT = {
    "Your account was deactivated.": deactivate,
    "Your account was rejected.": reject_without_models,
    "Your account was deleted.": delete,
}


@pytest.mark.usefixtures("_quick_sweeps")
@pytest.mark.parametrize(("what", "change"), ACCOUNT.items())
async def test_the_sweep_finds_what_no_notice_announces(what, change):
    user = await in_database(create_user)
    error = await ended_by(change, Caller(user, SCOPES))
    assert isinstance(error, NotApproved)
    assert (error.what, error.code) == (what, CloseCode.NOT_APPROVED)


@pytest.mark.usefixtures("_quick_sweeps")
async def test_the_sweep_finds_a_token_that_another_process_revoked():
    user = await in_database(create_user)
    token, _ = await in_database(create_token, user)
    error = await ended_by(lambda: Token.objects.update(revoked_at=timezone.now()), Caller(user, SCOPES, str(token.pk)))
    assert isinstance(error, NotAuthenticated)
    assert error.what == "The token was revoked."


@pytest.mark.usefixtures("_quick_sweeps")
async def test_the_sweep_outlives_the_view_that_started_it():
    """Django runs the view of a streamed response with a thread that ends before the response does."""
    user = await in_database(create_user)
    error = asyncio.get_running_loop().create_future()
    guard = revocation_guard(Caller(user, SCOPES), error.set_result)
    await sync_to_async(async_to_sync(guard.__aenter__))()
    await in_database(deactivate)
    async with asyncio.timeout(HANG):
        assert (await error).what == "Your account was deactivated."
    await guard.__aexit__(None, None, None)


@pytest.mark.usefixtures("_no_sweeps")
async def test_what_a_token_opened_ends_when_it_expires():
    user = await in_database(create_user)
    async with guarded(Caller(user, SCOPES, expires=timezone.now() + timedelta(seconds=0.2))) as error:
        assert (await error).what == "The token has expired."


@pytest.mark.usefixtures("_no_sweeps")
@pytest.mark.parametrize("signal", [status_changed, credentials_ended])
async def test_a_notice_about_the_account_is_enough(signal):
    user = await in_database(create_user)

    def change():
        reject_without_models()
        signal.send(User, user=user)

    assert (await ended_by(change, Caller(user, SCOPES))).why == "left the team"


@pytest.mark.usefixtures("_no_sweeps")
async def test_a_notice_about_the_token_is_enough():
    user = await in_database(create_user)
    token, _ = await in_database(create_token, user)

    def revoke():
        Token.objects.update(revoked_at=timezone.now())
        token_revoked.send(Token, token=token)

    assert (await ended_by(revoke, Caller(user, SCOPES, str(token.pk)))).what == "The token was revoked."


@pytest.mark.usefixtures("_no_sweeps")
async def test_a_notice_about_the_logout_is_enough():
    user = await in_database(create_user)
    browser = await in_database(log_in, user)
    caller = Caller(user, SCOPES, session_key=browser.session.session_key)
    assert (await ended_by(browser.session.flush, caller)).what == "You logged out."


@pytest.mark.usefixtures("_no_sweeps")
async def test_another_browser_stays_connected():
    user = await in_database(create_user)
    browser, other = await in_database(log_in, user), await in_database(log_in, user)
    caller = Caller(user, SCOPES, session_key=other.session.session_key)
    async with guarded(caller):
        await in_database(browser.session.flush)
        assert await Sweep.current().check(list(Sweep.current()._guards)) == {}


async def test_a_caller_who_has_ended_already_is_refused():
    user = await in_database(create_user)
    await in_database(reject_without_models)
    with pytest.raises(NotApproved, match="rejected"):
        async with guarded(Caller(user, SCOPES)):
            pytest.fail("it was admitted")
    assert Sweep.current()._task is None


async def test_nothing_is_queried_while_nothing_is_open():
    user = await in_database(create_user)
    async with guarded(Caller(user, SCOPES)), guarded(Caller(user, SCOPES)):
        assert Sweep.current()._task is not None
    assert Sweep.current()._task is None


@pytest.mark.usefixtures("_quick_sweeps")
async def test_an_outage_of_the_database_ends_nothing_and_delays_the_sweep(monkeypatch):
    check_all, attempts = revocation.check_all, []

    def fail(callers):
        attempts.append(callers)
        if len(attempts) in (1, 2, 3):
            raise OperationalError("the server closed the connection")
        return check_all(callers)

    user = await in_database(create_user)
    monkeypatch.setattr(revocation, "check_all", fail)
    error = await ended_by(deactivate, Caller(user, SCOPES))
    assert error.what == "Your account was deactivated."
    assert len(attempts) > 3


@pytest.mark.usefixtures("_quick_sweeps")
async def test_a_bug_in_the_check_does_not_end_the_sweep(monkeypatch):
    check_all, attempts = revocation.check_all, []

    def fail(callers):
        attempts.append(callers)
        if len(attempts) == 2:
            raise ZeroDivisionError
        return check_all(callers)

    user = await in_database(create_user)
    monkeypatch.setattr(revocation, "check_all", fail)
    assert (await ended_by(deactivate, Caller(user, SCOPES))).what == "Your account was deactivated."


def log_in(user):
    browser = Client()
    browser.force_login(user)
    return browser


def ticket_of(browser):
    return browser.post("/api/tickets/").json()["ticket"]


async def first_error(socket):
    """The socket is accepted, and the error that it sends before it closes, with the close code."""
    assert (await socket.connect(timeout=HANG))[0]
    error = json.loads(await socket.receive_from(timeout=HANG))
    closed = await socket.receive_output(timeout=HANG)
    return error, closed["code"]


@pytest.mark.usefixtures("_no_sweeps")
async def test_a_rejection_while_a_page_is_admitted_is_not_missed(monkeypatch):
    """It is committed after the ticket was redeemed, and its notice comes before anything listens."""
    user = await in_database(create_user)
    redeem = browser_socket.tickets.redeem

    def redeem_and_reject(ticket):
        caller = redeem(ticket)
        User.objects.all().reject(None, "left the team")
        return caller

    monkeypatch.setattr(browser_socket.tickets, "redeem", redeem_and_reject)
    ticket = await sync_to_async(lambda: ticket_of(log_in(user)))()
    headers = [(b"origin", b"http://localhost"), (b"host", b"localhost")]
    error, code = await first_error(WebsocketCommunicator(application, f"/ws/live/?ticket={ticket}", headers=headers))
    assert (error["what"], error["why"], code) == ("Your account was rejected.", "left the team", 4003)


@pytest.mark.usefixtures("_no_sweeps")
async def test_a_rejection_while_a_program_is_admitted_is_not_missed(monkeypatch):
    user = await in_database(create_user)
    _, text = await in_database(create_token, user)
    authenticate = api_socket.authenticate

    def authenticate_and_reject(credentials):
        caller = authenticate(credentials)
        User.objects.all().reject(None, "left the team")
        return caller

    monkeypatch.setattr(api_socket, "authenticate", authenticate_and_reject)
    headers = [(b"authorization", f"Bearer {text}".encode())]
    error, code = await first_error(WebsocketCommunicator(application, "/ws/pcm", headers=headers))
    assert error["what"] == "Your account was rejected."
    assert code == 4003


async def test_a_ticket_ends_with_the_login_that_requested_it():
    user = await in_database(create_user)

    def log_out():
        browser = log_in(user)
        ticket = ticket_of(browser)
        browser.logout()
        return ticket

    ticket = await sync_to_async(log_out)()
    headers = [(b"origin", b"http://localhost"), (b"host", b"localhost")]
    error, code = await first_error(WebsocketCommunicator(application, f"/ws/live/?ticket={ticket}", headers=headers))
    assert code == 4001
    assert error["why"]
