"""Where webhooks may go: to the public internet, and not to what only this machine can reach.

A name is resolved once for each attempt, and the connection goes to the very address that was looked at: a name that
means something else a moment later (DNS rebinding) gains nothing.
"""

import asyncio
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import httpcore
from django.conf import settings

NAT64 = ip_network("64:ff9b::/96")
RESOLVE_TIMEOUT = 5.0


class AddressBlocked(Exception):
    """The address is one that nothing is sent to."""


class PublicNetwork(httpcore.AsyncNetworkBackend):
    def __init__(self) -> None:
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  (so the interface has it)
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Raises `Refused`."""
        address = await _resolved(host, port)
        return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)

    async def connect_unix_socket(self, *args: Any, **kwargs: Any) -> httpcore.AsyncNetworkStream:
        raise AddressBlocked("A socket on this machine is no webhook.")

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)


async def _resolved(host: str, port: int) -> str:
    async with asyncio.timeout(RESOLVE_TIMEOUT):
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [ip_address(str(place[0]).partition("%")[0]) for *_, place in found]
    private = next((address for address in addresses if not is_public(address)), None)
    if private and not settings.WEBHOOKS_TO_PRIVATE_ADDRESSES:
        raise AddressBlocked(f"{host} is {private}, which is not on the public internet.")
    return str(addresses[0])


def is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None,))[0]
        if address in NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return address.ipv4_mapped is not None and is_public(inner)
    return address.is_global and not address.is_multicast
