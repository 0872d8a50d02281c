"""The client's address and scheme, with and without a trusted proxy."""

from collections.abc import Mapping
from typing import Any

import pytest

from dsm_site.proxy_headers import ProxyHeadersMiddleware, TrustedProxies
from tests.dsm_site.test_security import manage

TRUSTED = TrustedProxies(["127.0.0.1", "10.0.0.0/8", "fd00::/8"])


async def seen(peer: str | None, *headers: tuple[str, str], **scope: Any) -> Mapping[str, Any]:
    """The scope that the application sees for a connection from `peer`."""
    scopes = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)

    encoded = [(name.encode(), value.encode()) for name, value in headers]
    sent = {"type": "http", "scheme": "http", "root_path": "", "client": peer and [peer, 5000], "headers": encoded}
    await ProxyHeadersMiddleware(application, TRUSTED)(sent | scope, None, None)
    return scopes[0]


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "client"),
    [
        ("192.0.2.9", "", "192.0.2.9"),
        ("192.0.2.9", "192.0.2.1", "192.0.2.9"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("::ffff:127.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("127.0.0.1", "::ffff:192.0.2.1", "192.0.2.1"),
        ("127.0.0.1", "6.6.6.6, 192.0.2.1", "192.0.2.1"),
        ("127.0.0.1", "6.6.6.6, 192.0.2.1, 10.1.2.3", "192.0.2.1"),
        ("127.0.0.1", "10.1.2.3", "10.1.2.3"),
        ("fd00::1", "2001:db8::1", "2001:db8::1"),
        ("127.0.0.1", "192.0.2.1:443", "192.0.2.1"),
        ("127.0.0.1", "[2001:db8::1]:443", "2001:db8::1"),
        ("127.0.0.1", "fe80::1%eth0", "fe80::1"),
        ("fe80::1%eth0", "192.0.2.1", "fe80::1"),
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("127.0.0.1", "192.0.2.1, unknown, 10.1.2.3", "10.1.2.3"),
        ("127.0.0.1", "192.0.2.1,,", "127.0.0.1"),
        ("127.0.0.1", "<script>", "127.0.0.1"),
    ],
)
async def test_the_client_is_the_last_address_that_is_not_a_trusted_proxy(peer, forwarded_for, client):
    scope = await seen(peer, ("x-forwarded-for", forwarded_for))
    assert scope["client"][0] == client


async def test_repeated_headers_are_one_list():
    scope = await seen("127.0.0.1", ("x-forwarded-for", "192.0.2.1"), ("x-forwarded-for", "10.1.2.3"))
    assert scope["client"] == ["192.0.2.1", 0]


async def test_a_connection_without_addresses_has_no_client():
    assert (await seen(None, ("x-forwarded-for", "192.0.2.1")))["client"] is None


@pytest.mark.parametrize("peer", ["127.0.0.1", "192.0.2.9"])
async def test_the_application_sees_no_forwarded_header(peer):
    names = ["forwarded", "x-real-ip", "x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto"]
    scope = await seen(peer, *((name, "192.0.2.1") for name in names), ("host", "speech.example.org"))
    assert scope["headers"] == [(b"host", b"speech.example.org")]


@pytest.mark.parametrize(
    ("peer", "protocol", "kind", "scheme"),
    [
        ("127.0.0.1", "https", "http", "https"),
        ("127.0.0.1", "https", "websocket", "wss"),
        ("127.0.0.1", "http", "http", "http"),
        ("127.0.0.1", "https, http", "http", "http"),
        ("127.0.0.1", "gopher", "http", "http"),
        ("192.0.2.9", "https", "http", "http"),
    ],
)
async def test_the_scheme_comes_from_a_trusted_proxy_only(peer, protocol, kind, scheme):
    initial = "ws" if kind == "websocket" else "http"
    assert (await seen(peer, ("x-forwarded-proto", protocol), type=kind, scheme=initial))["scheme"] == scheme


async def test_clients_cannot_set_the_root_path():
    assert (await seen("127.0.0.1", root_path="http://evil.example"))["root_path"] == ""


async def test_an_untrusted_proxy_is_logged_once(caplog):
    middleware = ProxyHeadersMiddleware(_nothing, TRUSTED)
    for _ in range(2):
        headers = [(b"x-forwarded-for", b"192.0.2.1")]
        await middleware({"type": "http", "client": ["172.18.0.3", 1], "headers": headers}, None, None)
    assert [record.getMessage() for record in caplog.records] == [
        "ignored X-Forwarded-For from 172.18.0.3, not a trusted proxy. If it is yours, add it to TRUSTED_PROXIES."
    ]


async def _nothing(scope: Any, receive: Any, send: Any) -> None:
    """An application that does nothing."""


def test_proxies_are_addresses_or_networks():
    with pytest.raises(ValueError, match=r"caddy"):
        TrustedProxies(["127.0.0.1", "caddy"])


def test_the_site_does_not_start_with_a_setting_that_it_would_ignore(tmp_path):
    with pytest.raises(AssertionError, match=r"set TRUSTED_PROXIES to the proxy's address"):
        manage("check", BEHIND_PROXY="on", DATA_DIR=str(tmp_path))
