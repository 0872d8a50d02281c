"""Joined MPEG transport streams whose tracks have other numbers: libraries keep to the tracks of the first one."""

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

PACKET = 188
SYNC = 0x47
PACKETS = 20_000
"""Number of packets to read at once."""
HEAD = 3
"""Number of packets by which a transport stream is recognized."""


def is_transport_stream(file: BinaryIO) -> bool:
    file.seek(0)
    head = file.read(HEAD * PACKET)
    return len(head) == HEAD * PACKET and all(byte == SYNC for byte in head[::PACKET])


def changes(file: BinaryIO) -> Iterator[int]:
    """Yield each position at which other programs begin, or a program with other tracks."""
    tables: dict[int, bytes] = {}  # the latest one of each program, by the number of its packets; 0: the programs
    programs_at = 0
    for position, packet in _tables(file, tables):
        number = int.from_bytes(packet[1:3]) & 0x1FFF
        section = _section(packet)
        if number == 0:
            programs_at = position
        if tables.get(number) not in (None, b"", section):
            tables.clear()
            yield programs_at
        tables[number] = section
        if number == 0:
            for program in range(0, len(section) - 3, 4):
                if section[program : program + 2] != b"\0\0":  # not the network's table
                    tables.setdefault(int.from_bytes(section[program + 2 : program + 4]) & 0x1FFF, b"")


def _tables(file: BinaryIO, wanted: dict[int, bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield position and content of packets in which a table of programs begins, or one of `wanted`."""
    position = 0
    while True:
        file.seek(position)
        block = file.read(PACKETS * PACKET)
        packets = np.frombuffer(block[: len(block) // PACKET * PACKET], np.uint8).reshape(-1, PACKET)
        if not len(packets):
            return
        numbers = (packets[:, 1].astype(np.uint16) << 8 | packets[:, 2]) & 0x5FFF  # with the flag of a beginning
        for index in np.flatnonzero((numbers & 0x4000) != 0):
            if (number := int(numbers[index]) & 0x1FFF) == 0 or number in wanted:
                yield position + int(index) * PACKET, packets[index].tobytes()
        position += len(packets) * PACKET


def _section(packet: bytes) -> bytes:
    """The programs, or the tracks of one, without version and checksum; "" if it continues in another packet."""
    payload = packet[4 + (1 + packet[4] if packet[3] & 0x20 else 0) :]
    if not payload or len(table := payload[1 + payload[0] :]) < 8:
        return b""
    length = int.from_bytes(table[1:3]) & 0xFFF
    return table[8 : max(8, length - 1)]
