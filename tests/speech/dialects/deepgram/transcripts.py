"""Events of a stream, and the messages that a translator of them yields."""

from collections.abc import Iterable
from typing import Any

from inference.messages import SAMPLE_RATE
from speech import events


def said(text: str, start: float = 0.0, first: int = 0, segment: int = 0) -> list[events.Word]:
    """Words of 0.2 s every 0.25 s from `start` on; `first`: index of the first one."""
    return [
        events.Word(first + number, segment, word, start + 0.25 * number, start + 0.25 * number + 0.2, 0.9)
        for number, word in enumerate(text.split())
    ]


def steps(start: float, end: float, speech: float) -> Iterable[events.Step]:
    """Steps of a frame each."""
    frames = range(round(start / 0.08), round(end / 0.08))
    return [events.Step(round((frame + 1) * 0.08 * SAMPLE_RATE), speech) for frame in frames]


def kinds(messages: list[dict[str, Any]]) -> list[str]:
    return [message.get("event", message["type"]) for message in messages]
