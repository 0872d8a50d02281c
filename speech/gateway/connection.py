"""A stream's connection to the inference process that has its slot."""

import uuid
from collections.abc import Callable

from inference.messages import Accept, Close, Closed, Down, Ready, Up
from inference.outbox import Outbox


class Connection:
    """The web side's end, from the request for a slot until it is closed."""

    def __init__(self, outbox: Outbox, forget: Callable[["Connection"], None], receive: Callable[[Down], None]) -> None:
        self.id = uuid.uuid4().hex  # new for each slot, so that late messages of a lost slot match no connection
        self.worker = ""
        self._outbox = outbox
        self._forget = forget
        self._receive = receive
        self._sent = 0
        self._expected = 0

    def send(self, message: Up) -> None:
        self._outbox.put(self.worker, (self.id, self._sent, message))
        self._sent += 1

    def close(self) -> None:
        """Give back the slot, or withdraw the request."""
        self._forget(self)
        if self.worker:
            self.send(Close())

    def receive(self, seq: int, message: Down) -> None:
        if seq < self._expected:
            return  # the channel layer may deliver twice
        if seq > self._expected:
            message = Closed(f"messages {self._expected} to {seq - 1} were lost")
        self._expected = seq + 1
        if isinstance(message, Ready):
            self.worker = message.worker
            self.send(Accept())
        self._receive(message)
        if isinstance(message, Closed):
            self._forget(self)

    def on_worker_lost(self, reason: str) -> None:
        """The inference process counts as dead. If it is not, it learns that this slot is free."""
        self.close()
        self._receive(Closed(reason))
