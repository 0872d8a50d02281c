"""Every WebSocket of the site, in every role."""

import asyncio
import json
from collections.abc import Iterable

import pytest
from channels.testing import WebsocketCommunicator
from django.core.cache import cache
from django.test import Client

from accounts.scopes import SESSIONS, UnknownScope
from dsm_site.api_errors import NotFoundSocket
from dsm_site.asgi import application, websocket_routes
from speech.dialects.browser.socket import BrowserSocket
from speech.dialects.pcm import PcmSocket
from speech.dialects.sockets.api_socket import ApiSocket
from speech.errors import CloseCode
from tests.permissions import roles
from tests.permissions.roles import BROWSERS, SETTINGS, Role
from tests.permissions.rules import OK, SOCKETS

TIMEOUT = 10  # seconds
CLASSES = {
    str(pattern.pattern): getattr(pattern.callback, "application", pattern.callback).consumer_class
    for pattern in websocket_routes
}
"""The class of each WebSocket, by path."""


def test_every_websocket_has_a_rule():
    assert CLASSES.keys() == SOCKETS.keys(), "Add the WebSocket to SOCKETS in tests/permissions/rules.py."


def test_every_websocket_requires_a_scope_or_a_ticket():
    others = {path: each for path, each in CLASSES.items() if not issubclass(each, ApiSocket | BrowserSocket)}
    assert others == {"": NotFoundSocket}
    for path, each in CLASSES.items():
        if issubclass(each, ApiSocket):
            assert each.scope_required == SOCKETS[path].scope


def test_a_websocket_without_a_scope_cannot_be_routed():
    class Forgetful(PcmSocket):
        scope_required = ApiSocket.scope_required

    with pytest.raises(UnknownScope, match="Forgetful accepts tokens but declares no scope"):
        Forgetful.as_asgi()


@pytest.fixture
async def clients(transactional_db, settings, no_engines) -> dict[Role, Client]:
    """A client for each role."""
    for name, value in SETTINGS.items():
        setattr(settings, name, value)

    def create() -> dict[Role, Client]:
        cache.clear()  # the counts of rate limits
        roles.create_accounts()
        every = (*BROWSERS, *roles.programs())
        roles.disapprove()
        return {role: role.client() for role in every if role is not roles.VISITOR}

    return await asyncio.to_thread(create)


async def connect(path: str, role: Role, client: Client, query: str = "") -> tuple[WebsocketCommunicator, bool]:
    """Open it with the client's cookies and, for a program, its token."""
    cookies = client.cookies.output(header="", sep=";")
    headers = [(b"origin", b"http://localhost"), (b"host", b"localhost"), (b"cookie", cookies.encode())]
    if role.is_program:
        headers.append((b"authorization", f"Bearer {role.token}".encode()))
    socket = WebsocketCommunicator(application, f"/{path}{query}", headers=headers)
    return socket, (await socket.connect(timeout=TIMEOUT))[0]


async def accepted_roles(path: str, clients: dict[Role, Client], query: str = "") -> set[str]:
    accepted = set()
    for role, client in clients.items():
        socket, is_accepted = await connect(path, role, client, query)
        if is_accepted:
            accepted.add(role.name)
        await socket.disconnect(timeout=TIMEOUT)
    return accepted


def allowed(path: str, every: Iterable[Role]) -> set[str]:
    return {role.name for role in every if SOCKETS[path].outcome(role) == OK}


@pytest.mark.parametrize("path", [path for path, each in CLASSES.items() if issubclass(each, ApiSocket)])
async def test_websockets_of_apis_accept_tokens_with_the_scope(path, clients):
    assert await accepted_roles(path, clients) == allowed(path, clients)


async def test_saving_a_stream_requires_the_scope_sessions_too(clients):
    savers = {role for role in clients if role.scopes is None or SESSIONS in role.scopes}
    assert await accepted_roles("ws/pcm", clients, "?keep=true") == allowed("ws/pcm", savers)


@pytest.mark.parametrize("path", [path for path, each in CLASSES.items() if issubclass(each, BrowserSocket)])
async def test_websockets_of_pages_accept_only_tickets(path, clients):
    def ticket_of(role: Role, client: Client) -> str:
        """A ticket or, if the role gets none, its token."""
        return client.post("/api/tickets/").json().get("ticket", role.token)

    accepted = set()
    for role, client in clients.items():
        ticket = await asyncio.to_thread(ticket_of, role, client)
        socket, _ = await connect(path, role, client, f"?ticket={ticket}")
        await socket.send_to(text_data="not a command")  # those who are identified get an error about this
        error = json.loads(await socket.receive_from(timeout=TIMEOUT))
        assert error["code"] in (CloseCode.PROTOCOL, CloseCode.NOT_AUTHENTICATED)
        if error["code"] == CloseCode.PROTOCOL:
            accepted.add(role.name)
        await socket.disconnect(timeout=TIMEOUT)
    assert accepted == allowed(path, clients)


async def test_an_unknown_path_is_rejected(no_engines):
    socket = WebsocketCommunicator(application, "/ws/elsewhere")
    assert (await socket.connect(timeout=TIMEOUT))[0] is False
