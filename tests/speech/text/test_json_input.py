"""What clients send as JSON is decoded, or rejected with a reason; nothing else can happen."""

import json
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech.text.json_input import InvalidInput, decode_any_json, decode_binary, decode_json


class Message(msgspec.Struct):
    text: str = ""
    number: float = 0.0


INVALID = {
    "nothing": b"",
    "no JSON": b"hello",
    "deeply nested lists": b"[" * 10_000,
    "deeply nested objects": b'{"x":' * 10_000,
    "5,000 digits": b'{"number":' + b"9" * 5_000 + b"}",
    "NaN": b'{"number":NaN}',
    "infinity": b'{"number":-Infinity}',
    "a huge exponent": b'{"number":1e400}',
    "a long exponent": b'{"number":1e' + b"9" * 5_000 + b"}",
    "a high surrogate": b'{"text":"\\ud800"}',
    "a low surrogate": b'{"text":"\\udc00"}',
    "a surrogate in a name": b'{"\\ud800":1}',
    "an encoded surrogate": b'{"text":"\xed\xa0\x80"}',
    "invalid UTF-8": b'{"text":"\xff"}',
    "NUL": b'{"text":"\\u0000"}',
    "NUL after a backslash": b'{"text":"\\\\\\u0000"}',
    "NUL in a name": b'{"\\u0000":1}',
    "an unescaped NUL": b'{"text":"\0"}',
}
"""Request bodies that no endpoint accepts, by what is wrong with them."""


@pytest.mark.parametrize("body", INVALID.values(), ids=INVALID.keys())
def test_invalid_json_is_rejected_with_a_reason(body):
    with pytest.raises(InvalidInput, match=r"^\w.*\.$"):
        decode_any_json(body)


@pytest.mark.parametrize("body", [b"18446744073709551616", b'{"x": [1, {"y": -9223372036854775809}]}'])
def test_integers_have_at_most_64_bits(body):
    with pytest.raises(InvalidInput, match="out of range"):
        decode_any_json(body)


def test_the_text_of_an_escape_is_no_nul():
    assert decode_any_json(b'["\\\\u0000", "\\\\\\\\u0000"]') == ["\\u0000", "\\\\u0000"]


def test_a_text_message_with_a_lone_surrogate_is_rejected():
    with pytest.raises(InvalidInput, match="UTF-8"):
        decode_json(msgspec.json.Decoder(Message), '{"text":"\ud800"}')


MESSAGEPACK = [b"", b"\x81\xa4text\xa1\xff", b"\x81\xa4text\xa3\xed\xa0\x80", b"\x81\xa1x" + b"\x91" * 10_000]


@pytest.mark.parametrize("data", MESSAGEPACK, ids=["nothing", "invalid UTF-8", "a surrogate", "deeply nested"])
def test_invalid_messagepack_is_rejected_with_a_reason(data):
    with pytest.raises(InvalidInput, match=r"^\w.*\.$"):
        decode_binary(msgspec.msgpack.Decoder(Message), data)


NUMBERS = st.integers(-(1 << 63), (1 << 63) - 1) | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=20,
)


@given(VALUES, st.booleans())
def test_valid_json_is_decoded_as_by_pythons_own_library(value, is_ascii):
    assert decode_any_json(json.dumps(value, ensure_ascii=is_ascii).encode()) == value


@given(st.binary())
def test_any_bytes_are_decoded_or_rejected(data):
    with suppress(InvalidInput):
        decode_any_json(data)
