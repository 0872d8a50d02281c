"""A granted slot of a text-to-speech engine: text goes to it until the end of the input."""

import time

from inference.messages import Marker, Text
from speech.gateway.connection import Connection

KEEPALIVE_INTERVAL = 5.0
"""Seconds without text after which an empty one keeps the slot."""


class TextSlot:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._is_ended = False
        self._last_sent_at = time.monotonic()

    def send(self, text: str) -> None:
        """Send text, and if there is none for long an empty one."""
        now = time.monotonic()
        if text or now - self._last_sent_at > KEEPALIVE_INTERVAL:
            self._connection.send(Text(text))
            self._last_sent_at = now

    def end(self) -> None:
        """Send the marker that the engine returns once everything before it is spoken; only once."""
        if not self._is_ended:
            self._connection.send(Marker(0))
            self._is_ended = True

    def close(self) -> None:
        self._connection.close()
