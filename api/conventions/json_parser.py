"""JSON in request bodies of REST views."""

from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from speech.text.json_input import InvalidInput, decode_any_json


class JsonParser(BaseParser):
    """Replaces REST framework's own, with which lone surrogates, deep nesting and long numbers are internal errors."""

    media_type = "application/json"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            return decode_any_json(stream.read())
        except InvalidInput as error:
            raise ParseError(f"Invalid JSON: {error} Correct the request's body.") from None
