"""The messages that a language model gets."""

import pytest

from speech.llm.config import Message
from speech.llm.messages import FIRST_USER_MESSAGE, prepared


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("s:Be brief. u:Hello.", "s:Be brief. u:Hello."),
        ("u:One u:Two a:Three a:Four", "u:One\nTwo a:Three\nFour"),
        ("u:One a: u:Two", "u:One\nTwo"),
        ("s: u:  a:", f"u:{FIRST_USER_MESSAGE}"),
        ("s:Be brief.", f"s:Be brief. u:{FIRST_USER_MESSAGE}"),
        ("s:Be brief. a:Welcome! u:Hi.", f"s:Be brief. u:{FIRST_USER_MESSAGE} a:Welcome! u:Hi."),
        ("s:One s:Two u:Hi.", "s:One\nTwo u:Hi."),
    ],
)
def test_messages_alternate_and_none_is_empty(given, expected):
    assert prepared(messages(given)) == messages(expected)


def messages(text):
    """Messages of “u:Hello. a:Hi.”."""
    roles = {"s": "system", "u": "user", "a": "assistant"}
    found = []
    for word in text.split(" "):
        if word[1:2] == ":":
            found.append(Message(roles[word[0]], word[2:]))
        elif word:
            last = found.pop()
            found.append(Message(last.role, f"{last.content} {word}"))
    return found
