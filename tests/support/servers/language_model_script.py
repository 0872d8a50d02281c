"""What a scripted language model answers: known text at known times, and every kind of failure."""

import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import cycle
from typing import Any


class Ending(Enum):
    STALL = auto()
    """Send nothing more until the client disconnects."""
    DISCONNECT = auto()
    """Close the connection in the middle of the stream."""
    NO_FINISH = auto()
    """End the stream without a finish reason and without usage."""


@dataclass(frozen=True)
class Reasoning:
    """Text of the model's reasoning, in the field that servers call `reasoning_content` or `reasoning`."""

    text: str
    key: str = "reasoning_content"


@dataclass(frozen=True)
class Raw:
    """Data of an event as it is sent, also if it isn't JSON."""

    data: str


Item = str | float | threading.Event | Reasoning | Raw | Ending
"""A text, a pause in seconds, an event to wait for, or a failure."""


class Reply:
    """What a reply sends, in this order; `finish_reason` ends it unless it ends otherwise."""

    def __init__(self, *script: Item, finish_reason: str = "stop") -> None:
        self.script = script
        self.finish_reason = finish_reason


@dataclass(frozen=True)
class Refusal:
    """An answer other than a stream. `body`: sent as it is; otherwise an error with `message`, as OpenAI's API."""

    status: int
    message: str = "Refused."
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None

    def text(self) -> str:
        error = {"message": self.message, "type": "error", "param": None, "code": self.code}
        return json.dumps({"error": error}) if self.body is None else self.body


@dataclass
class ReceivedRequest:
    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    is_finished: bool = False
    """The whole answer was sent."""
    has_disconnected: bool = False
    """The client closed the connection before the whole answer was sent."""

    @property
    def messages(self) -> list[tuple[str, str]]:
        return [(message["role"], message["content"]) for message in self.body["messages"]]


Answer = Reply | Refusal | Ending
"""An ending alone: not even a status."""
Script = Callable[[ReceivedRequest], Answer]
"""Chooses the answer to a request."""


def words(text: str) -> list[str]:
    """Tokens of a text: its words, each with the whitespace before it."""
    return re.findall(r"\s*\S+", text)


def spoken_at(tokens: Sequence[str], after: float = 0, per_second: float = 0) -> Reply:
    """A reply of these tokens: the first after `after` seconds. `per_second` 0: all at once."""
    pause = 1 / per_second if per_second else 0
    items: list[Item] = [float(after)]
    for token in tokens:
        items += [token, pause]
    return Reply(*items)


def echo(after: float = 0, per_second: float = 0) -> Script:
    """Replies “You said: …”."""

    def answer(request: ReceivedRequest) -> Reply:
        said = next((content for role, content in reversed(request.messages) if role == "user"), "nothing")
        return spoken_at(words(f"You said: {said}"), after, per_second)

    return answer


def scripted(*answers: Answer, then: Script | None = None) -> Script:
    """Gives these answers in turn, then those of `then` (default: the echo)."""
    remaining = iter(answers)
    otherwise = then or echo()
    return lambda request: next(remaining, None) or otherwise(request)


def repeated(replies: Iterable[str], after: float = 0, per_second: float = 0) -> Script:
    """Gives these replies in turn, again and again."""
    texts = cycle(replies)
    return lambda request: spoken_at(words(next(texts)), after, per_second)
