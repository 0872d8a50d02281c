"""Writes without a turn of the event loop."""

from typing import Any


def write_immediately(transport: Any) -> None:
    """Make the transport write to the socket directly, and poll only for the rest.

    Twisted's `write` appends to a buffer and polls until the socket is writable, for every frame of every stream,
    although it nearly always is. https://github.com/twisted/twisted/issues/5303

    Order is kept: while something is buffered, everything goes through the buffer. `stopWriting` is what Twisted calls
    when the buffer is empty.
    """
    write, stop_writing = transport.write, transport.stopWriting
    is_pending = True  # the handshake response may be: the first message goes through Twisted, after it

    def write_or_buffer(data: bytes) -> None:
        nonlocal is_pending
        if transport.connected and not is_pending:
            written = transport.writeSomeData(data)
            if isinstance(written, int):  # otherwise an exception, which Twisted's own write meets again and handles
                data = data[written:]
        if data:
            is_pending = True
            write(data)

    def on_drained() -> None:
        nonlocal is_pending
        is_pending = False
        stop_writing()

    transport.write, transport.stopWriting = write_or_buffer, on_drained
