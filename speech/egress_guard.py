"""SSRF protection: webhooks, and downloads of recordings, reach only the public internet, not private networks.

A host name is resolved once per attempt and the connection uses the address that was checked, which prevents DNS
rebinding.
"""

import asyncio
import logging
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import httpcore
from django.conf import settings

logger = logging.getLogger(__name__)

NAT64 = ip_network("64:ff9b::/96")
RESOLVE_TIMEOUT = 5.0


class AddressBlocked(Exception):
    """The address is not allowed."""


class NotPublic(AddressBlocked):
    """The same for names that don't exist and names of private networks, so that it reveals nothing about these."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"{host} doesn't have a public address. This site reaches only the public internet. Change the URL."
        )


class PublicNetwork(httpcore.AsyncNetworkBackend):
    def __init__(self) -> None:
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  (defined by the interface)
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Raises `AddressBlocked`."""
        address = await _resolve(host, port)
        return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)

    async def connect_unix_socket(self, *args: Any, **kwargs: Any) -> httpcore.AsyncNetworkStream:
        raise AddressBlocked("URLs can't be local sockets.")

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)


async def _resolve(host: str, port: int) -> str:
    try:
        async with asyncio.timeout(RESOLVE_TIMEOUT):
            results = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError, TimeoutError) as error:  # the second for a label that is too long
        logger.info("could not resolve the host %s: %r", host, error)
        raise NotPublic(host) from None
    addresses = [ip_address(str(sockaddr[0]).partition("%")[0]) for *_, sockaddr in results]
    private = next((address for address in addresses if not is_public(address)), None)
    if private and not settings.WEBHOOKS_TO_PRIVATE_ADDRESSES:
        logger.info("blocked a request: %s resolves to %s", host, private)
        raise NotPublic(host)
    return str(addresses[0])


def is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address):
        embedded = address.ipv4_mapped or address.sixtofour or (address.teredo or (None,))[0]
        if address in NAT64:
            embedded = IPv4Address(int(address) & 0xFFFFFFFF)
        if embedded is not None:
            return address.ipv4_mapped is not None and is_public(embedded)
    return address.is_global and not address.is_multicast
