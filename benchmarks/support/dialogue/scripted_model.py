"""The language model's side of the conversations: what each gets as a reply, and what it has sent.

Each conversation has a secret, a city, which is in its instructions and in its replies. A request with the secret of
another conversation is a leak.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.support.servers.language_model_script import ReceivedRequest, Reply, spoken_at, words

CITIES = ("Marrakesh", "Reykjavik", "Kathmandu", "Montevideo", "Samarkand", "Honolulu", "Casablanca", "Valparaiso")
CLAUSES = (
    "Sure,",
    "Well,",
    "Okay,",
    "Indeed,",
    "Right,",
    "Certainly,",
    "Yes,",
    "Fine,",
    "Oh,",
    "Now,",
    "True,",
    "Good,",
)
SENTENCES = tuple(f"{word} is a good question to begin with." for word in ("That", "This", "It", "Yours", "Here"))
"""Beginnings of replies, by turns: replies in a row differ, so that it is clear which one the model gets back."""
TOKENS_PER_SECOND = 50
CUT_MARK = "—"


@dataclass
class Script:
    """Of one conversation."""

    secret: str
    openings: Sequence[str] = CLAUSES
    """Of the replies to the next requests, by turns."""
    answer: str = ""
    """What these replies say then."""
    requests: list[list[tuple[str, str]]] = field(default_factory=list)
    """Messages of each request: role and content."""

    @property
    def instructions(self) -> str:
        return f"You are a guide to {self.secret}. Answer in one sentence."

    def reply(self) -> str:
        """To the latest request."""
        return f"{self.openings[len(self.requests) % len(self.openings)]} {self.answer.format(city=self.secret)}"


class ScriptedModel:
    """Called from the thread of its server."""

    def __init__(self) -> None:
        self.scripts = [Script(city) for city in CITIES]
        self.strange_requests = 0
        """Of no conversation, or with the secrets of several."""

    def answer(self, request: ReceivedRequest) -> Reply:
        text = " ".join(content for _, content in request.messages)
        owners = [script for script in self.scripts if script.secret in text]
        if len(owners) != 1:
            self.strange_requests += 1
            return Reply("I don't know you.")
        owners[0].requests.append(request.messages)
        return spoken_at(words(owners[0].reply()), 0, TOKENS_PER_SECOND)


def foreign_secrets(script: Script, text: str) -> int:
    """Secrets of other conversations in a text of this one."""
    return sum(city in text for city in CITIES if city != script.secret)


class Context(NamedTuple):
    """What the model got as a reply of the assistant, against what was played of it."""

    unplayed: int
    """Words that were not played."""
    missing: int
    """Words that were played and are missing."""
    text: str
    """What the model got."""
    played: str


def compare(messages: Sequence[tuple[str, str]], reply: Sequence[str], played: int) -> Context:
    """The model's latest request against the words of the latest reply, of which so many were played. Replies in a row
    begin differently."""
    contents = [content for role, content in messages if role == "assistant"]
    text = contents[-1].split() if contents else []
    if text and text[-1].endswith(CUT_MARK):
        text[-1] = text[-1].removesuffix(CUT_MARK)
    same = next((n for n, (one, other) in enumerate(zip(text, reply, strict=False)) if one != other), None)
    same = min(len(text), len(reply)) if same is None else same
    if same == 0:  # an earlier reply: nothing of this one
        text = []
    unplayed, missing = len(text) - min(same, played), max(0, played - same)
    return Context(unplayed, missing, " ".join(text), " ".join(reply[:played]))
