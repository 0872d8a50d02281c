"""Limit of the connections of a client's address."""

from collections import defaultdict
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from operations.connections.dropped import dropped
from operations.connections.send_buffer import unsent_bytes

IPV6_PREFIX = 64
"""Bits of an IPv6 address that are counted: the smallest network that a client is given."""

Transport = Any  # Twisted's, which stays the same when a request becomes a WebSocket


class AddressLimit:
    """The connections of each address on which the server waits for the client: for a request, for its body, until the
    client has read the response, or for the end of a WebSocket. WebSockets in use are not counted: streams have limits
    per account. Neither Daphne nor Twisted limits connections. Not reported.

    At the limit, a new connection replaces the one that has been idle longest, so that browsers behind one address can
    share it. If none is idle, the new one is closed.
    """

    def __init__(self, limit: int, is_exempt: Callable[[str], bool]) -> None:
        """`limit`: connections per address; 0: unlimited. `is_exempt`: whether an address has no limit."""
        self._limit = limit
        self._is_exempt = is_exempt
        self._counted: defaultdict[str, dict[Transport, bool]] = defaultdict(dict)
        """For each address its connections, and whether they are idle; the last one is the one that changed last."""

    def admit(self, transport: Transport) -> bool:
        """Count a new connection, or close it and return False."""
        address = address_of(transport)
        counted = self._counted.get(_counted_part(address), {})
        if self._limit and len(counted) >= self._limit and not self._is_exempt(address):
            idle = next((other for other, is_idle in counted.items() if is_idle and not unsent_bytes(other)), None)
            if idle is None:
                dropped.add("connections", address)
                transport.abortConnection()
                return False
            self.release(idle)
            idle.loseConnection()
        self.count(transport)
        return True

    def count(self, transport: Transport, *, is_idle: bool = False) -> None:
        counted = self._counted[_counted_part(address_of(transport))]
        counted.pop(transport, None)
        counted[transport] = is_idle

    def release(self, transport: Transport) -> None:
        """Stop counting a connection, which may be closed."""
        part = _counted_part(address_of(transport))
        counted = self._counted.get(part, {})
        counted.pop(transport, None)
        if not counted:
            self._counted.pop(part, None)


def address_of(transport: Transport) -> str:
    """The client's IP address; empty for a Unix socket."""
    return str(getattr(transport.getPeer(), "host", ""))


@lru_cache(10_000)
def _counted_part(address: str) -> str:
    parsed = ip_address(address.partition("%")[0]) if address else None
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ip_network((int(parsed), IPV6_PREFIX), strict=False))
