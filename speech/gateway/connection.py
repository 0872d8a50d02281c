"""One stream's end of what lies between the processes."""

import uuid
from collections.abc import Callable

from inference.messages import Accept, Close, Closed, Down, Ready, Up
from inference.outbox import Outbox


class Connection:
    """One stream's end of the link, from its request for a slot until it closes."""

    def __init__(self, outbox: Outbox, forget: Callable[["Connection"], None], receive: Callable[[Down], None]) -> None:
        self.id = uuid.uuid4().hex  # new for each slot: an answer from a slot that was lost is nobody's
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
        """Give back the slot, or the place in the queue."""
        self._forget(self)
        if self.worker:
            self.send(Close())

    def receive(self, seq: int, message: Down) -> None:
        if seq < self._expected:
            return  # the channel layer may deliver twice
        if seq > self._expected:
            message = Closed(f"messages {self._expected} to {seq - 1} were lost on the way")
        self._expected = seq + 1
        if isinstance(message, Ready):
            self.worker = message.worker
            self.send(Accept())
        self._receive(message)
        if isinstance(message, Closed):
            self._forget(self)

    def on_worker_lost(self, reason: str) -> None:
        """The inference process is taken for dead. If it is not, it hears that this slot is wanted no more."""
        self.close()
        self._receive(Closed(reason))
