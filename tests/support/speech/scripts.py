"""Words at random in every script that Python's Unicode database knows."""

import random
import sys
import unicodedata
from collections import defaultdict

LETTERS = ("Lu", "Ll", "Lo")
MAX_PER_SCRIPT = 60
"""Characters: enough for words, and few enough for tests."""


def random_words(per_script: int) -> dict[str, str]:
    """Words by a name that begins with their script."""
    numbers = random.Random("words")
    words = {}
    for script, characters in _characters_by_script().items():
        letters = [character for character in characters if unicodedata.category(character) in LETTERS]
        for n in range(per_script if letters else 0):
            others = numbers.choices(characters, k=numbers.randint(0, 6))
            words[f"{script} {n}"] = "".join([numbers.choice(letters), *others])
    return words


def _characters_by_script() -> dict[str, list[str]]:
    """Letters, marks and digits by the first word of their names."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for code in _codes():
        character = chr(code)
        if unicodedata.category(character)[0] in "LM" or unicodedata.category(character) == "Nd":
            found[unicodedata.name(character, "?").partition(" ")[0]].append(character)
    numbers = random.Random("characters")
    return {
        script: numbers.sample(characters, min(MAX_PER_SCRIPT, len(characters))) for script, characters in found.items()
    }


def _codes() -> list[int]:
    """All code points but the thousands of each of the large East Asian blocks, of which every 50th is taken."""
    small = [
        *range(0x3400),
        *range(0xA000, 0xAC00),
        *range(0xD7B0, 0xD800),
        *range(0xF900, 0x17000),
        *range(0x1AFF0, 0x20000),
    ]
    return [
        *small,
        *range(0x3400, 0xA000, 50),
        *range(0xAC00, 0xD7B0, 50),
        *range(0x17000, 0x1AFF0, 50),
        *range(0x20000, min(0x31350, sys.maxunicode), 500),
    ]
