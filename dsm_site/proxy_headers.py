"""The client's address and scheme, behind a proxy or without one.

A proxy sends them in headers, but anyone else can send those too. So only a trusted proxy's headers count, and only
here: requests reach the application without them, and with the client's address as if there were no proxy.
"""

import ipaddress
import logging
import os
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ImproperlyConfigured

logger = logging.getLogger(__name__)

SECURE_SCHEMES = {"http": "https", "websocket": "wss"}
"""Types of ASGI connections, and the scheme of each if the client uses TLS."""


class TrustedProxies:
    """The proxies whose headers count: `"127.0.0.1" in trusted_proxies`."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        """`networks`: addresses or networks, for example 127.0.0.1 and 10.0.0.0/8. Raises `ValueError` for others."""
        self._networks = [ipaddress.ip_network(network.strip(), strict=False) for network in networks]

    def __contains__(self, host: str) -> bool:
        address = parsed_address(host)
        return address is not None and any(address in network for network in self._networks)

    def client_of(self, scope: dict[str, Any]) -> list[Any] | None:
        """The client's address and port; port 0 if only the proxy knows it. None for a connection without addresses.

        The address is the last one in X-Forwarded-For that isn't a trusted proxy's. Each proxy appends the one that it
        was contacted from, so what precedes it may be forged. Text that is no address ends the search.
        """
        if not scope.get("client"):
            return None
        peer, port = scope["client"]
        host = str(parsed_address(peer) or peer)
        for text in reversed(_values(scope, b"x-forwarded-for")):
            address = parsed_address(text)
            if host not in self or address is None:
                break
            host, port = str(address), 0
        return [host, port]


def trusted_proxies(networks: Iterable[str]) -> TrustedProxies:
    """The value of a setting. Raises `ImproperlyConfigured`."""
    if "BEHIND_PROXY" in os.environ:  # accepting it would mean to guess the proxy's address
        raise ImproperlyConfigured(
            "BEHIND_PROXY is set, but was replaced: the site must know which proxy to trust. Remove it, and set "
            "TRUSTED_PROXIES to the proxy's address: 127.0.0.1 if it runs on this machine."
        )
    try:
        return TrustedProxies(networks)
    except ValueError as error:
        raise ImproperlyConfigured(
            f"TRUSTED_PROXIES is not a list of addresses or networks: {error}. Separate them with commas, for example "
            "127.0.0.1,10.0.0.0/8."
        ) from None


class ProxyHeadersMiddleware:
    """ASGI middleware that sets `client` and `scheme` from a trusted proxy's headers, and removes these headers."""

    def __init__(self, application: Any, trusted: TrustedProxies) -> None:
        self._application = application
        self._trusted = trusted
        self._has_warned = False

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] in SECURE_SCHEMES:
            scope = self._as_sent_by_client(scope)
        await self._application(scope, receive, send)

    def _as_sent_by_client(self, scope: dict[str, Any]) -> dict[str, Any]:
        """The scope without the proxy. `root_path` is reset because Daphne takes it from a header of any client
        (Daphne-Root-Path, see its README), and Django begins every URL with it: those in emails led to other sites."""
        headers = [(name, value) for name, value in scope["headers"] if not _is_proxy_header(name)]
        seen = {**scope, "headers": headers, "client": self._trusted.client_of(scope), "root_path": ""}
        if scope.get("client") and scope["client"][0] in self._trusted:
            if _values(scope, b"x-forwarded-proto")[-1:] == ["https"]:
                seen["scheme"] = SECURE_SCHEMES[scope["type"]]
        elif _values(scope, b"x-forwarded-for"):
            self._warn_once(scope["client"])
        return seen

    def _warn_once(self, peer: Any) -> None:
        if not self._has_warned:
            self._has_warned = True
            text = "ignored X-Forwarded-For from %s, not a trusted proxy. If it is yours, add it to TRUSTED_PROXIES."
            logger.warning(text, peer[0] if peer else "a client without an address")


def parsed_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address, also with a port or a zone: 192.0.2.1:443, [2001:db8::1]:443, fe80::1%eth0. None for other text."""
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address  # a socket for both families reports an IPv4 client as ::ffff:192.0.2.1


def _is_proxy_header(name: bytes) -> bool:
    return name.startswith(b"x-forwarded-") or name in (b"forwarded", b"x-real-ip")


def _values(scope: dict[str, Any], name: bytes) -> list[str]:
    """The comma-separated values of a header, which may be sent several times."""
    return [
        value.strip()
        for header, text in scope["headers"]
        if header == name
        for value in text.decode("latin-1").split(",")
    ]
