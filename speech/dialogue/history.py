"""What was said in a conversation, as the context of the language model."""

from collections.abc import Sequence
from dataclasses import dataclass

from speech.llm.config import Message

CHARACTERS_PER_TOKEN = 3
"""A low estimate: English has about four, other languages fewer."""
TOKENS_PER_MESSAGE = 8
KEPT_SHARE = 0.6
"""Share of the context that is kept when turns are dropped. Dropping the oldest turn with every reply would change the
beginning of the prompt each time, and servers would process all of it again."""


@dataclass(frozen=True)
class Turn:
    is_user: bool
    text: str


class History:
    def __init__(self, instructions: str, context_tokens: int, turns: Sequence[Turn] = ()) -> None:
        """`context_tokens`: of the model, without those of its reply. `turns`: of a conversation that is continued."""
        self.turns = list(turns)
        self._instructions = instructions
        self._budget = context_tokens - (_tokens(instructions) if instructions else 0)
        self._first = 0  # turns before this one no longer fit

    def add_user(self, text: str) -> None:
        self.turns.append(Turn(True, text))

    def add_reply(self, text: str) -> None:
        """`text`: what was played of it."""
        self.turns.append(Turn(False, text))

    def remove_last_user(self) -> None:
        """The user continues their turn, so it is not over."""
        if self.turns and self.turns[-1].is_user:
            del self.turns[-1]
            self._first = min(self._first, len(self.turns))

    def messages(self, text: str = "") -> list[Message]:
        """The instructions and the latest turns that fit, and the user's next turn if its text is given."""
        turns = [*self.turns, *([Turn(True, text)] if text else [])]
        if sum(_tokens(turn.text) for turn in turns[self._first :]) > self._budget:
            self._first = _first_within(turns, self._budget * KEPT_SHARE)
        spoken = [Message("user" if turn.is_user else "assistant", turn.text) for turn in turns[self._first :]]
        return [Message("system", self._instructions), *spoken] if self._instructions else spoken


def _tokens(text: str) -> int:
    return len(text) // CHARACTERS_PER_TOKEN + TOKENS_PER_MESSAGE


def _first_within(turns: Sequence[Turn], budget: float) -> int:
    """Index of the oldest turn from which on all fit; always includes the last one."""
    first = len(turns) - 1
    left = budget - _tokens(turns[first].text)
    while first > 0 and (left := left - _tokens(turns[first - 1].text)) >= 0:
        first -= 1
    return first
