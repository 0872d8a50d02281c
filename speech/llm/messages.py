"""The messages of a conversation as a language model gets them."""

from collections.abc import Iterable

from speech.llm.config import Message

FIRST_USER_MESSAGE = "Hello."
"""Chat templates of several models (Gemma, Mistral) fail if the assistant speaks first."""


def prepared(messages: Iterable[Message]) -> list[Message]:
    """The messages in the form that every chat template accepts: none empty, no two of one role in a row, and a user's
    first."""
    result: list[Message] = []
    for role, content in messages:
        text = content.strip()
        if not text:
            continue
        if result and result[-1].role == role:
            result[-1] = Message(role, f"{result[-1].content}\n{text}")
            continue
        if role == "assistant" and all(message.role == "system" for message in result):
            result.append(Message("user", FIRST_USER_MESSAGE))
        result.append(Message(role, text))
    if all(message.role == "system" for message in result):
        result.append(Message("user", FIRST_USER_MESSAGE))
    return result
