"""Whole numbers that clients send as text."""

MAX_DIGITS = 18
"""More don't fit into the integers of databases, and Python refuses to read some thousands."""
MAX = 10**MAX_DIGITS


def whole_number(text: str) -> int | None:
    """The number, at most `MAX`. None if the text isn't one in decimal digits."""
    if not text.isdecimal():
        return None
    return int(text) if len(text) <= MAX_DIGITS else MAX
