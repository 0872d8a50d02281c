"""JSON and MessagePack from clients, decoded in one way: what a decoder rejects is one error with a reason.

Rejected are invalid UTF-8, lone surrogates, NaN and infinity in JSON, numbers out of range, nesting that is too deep,
and NUL characters in JSON, which PostgreSQL can't store. No text that comes as MessagePack is stored.
"""

import re
from typing import Any, Protocol, TypeVar

import msgspec

T = TypeVar("T", covariant=True)

_ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_INT64 = range(-(1 << 63), 1 << 63)
_any = msgspec.json.Decoder[Any]()


class Decoder(Protocol[T]):
    def decode(self, data: bytes, /) -> T: ...


class InvalidInput(ValueError):
    """The message says what is wrong with it, as a sentence."""


def decode_json(decoder: Decoder[T], data: str | bytes) -> T:
    """Raises `InvalidInput`."""
    encoded = data.encode(errors="surrogatepass") if isinstance(data, str) else data
    if rb"\u0000" in encoded and _ESCAPED_NUL.search(encoded):
        raise InvalidInput("A text contains a NUL character.")
    return decode_binary(decoder, encoded)


def decode_binary(decoder: Decoder[T], data: bytes) -> T:
    """Decode MessagePack; for JSON, see `decode_json`. Raises `InvalidInput`."""
    try:
        return decoder.decode(data)
    except RecursionError:
        raise InvalidInput("It is nested too deeply.") from None
    except msgspec.DecodeError as error:
        raise InvalidInput(f"{error}.") from None


def decode_any_json(data: bytes) -> Any:
    """JSON of any shape, with integers of 64 bits. Raises `InvalidInput`."""
    value = decode_json(_any, data)
    unchecked = [value]
    while unchecked:
        match unchecked.pop():
            case int(number) if number not in _INT64:
                raise InvalidInput("A number is out of range.")
            case list(values):
                unchecked += values
            case dict(fields):
                unchecked += fields.values()
    return value
