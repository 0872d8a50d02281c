"""Values of Roman numerals."""

import re

NUMERAL = re.compile(r"(?!L?$)(?:XL|L?X{0,3})(?:IX|IV|V?I{0,3})")
"""1 to 89 without 50; greater ones are rare, and words such as MIX, CD and the French Le look like them."""
_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50}


def value_of(numeral: str) -> int | None:
    """Value of a numeral; None for other text."""
    if not NUMERAL.fullmatch(numeral):
        return None
    values = [_VALUES[letter] for letter in numeral]
    return sum(-value if value < max(values[at:]) else value for at, value in enumerate(values))
