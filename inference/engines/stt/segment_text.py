"""What the text of a segment says about its audio: whether more of it is to come, and whether it can be right."""

import re
import zlib

DIGIT_WORDS = {"zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "double", "triple"}
MISTAKEN_DIGITS = {"a", "to", "for"}
"""Words that a model writes for eight, two and four as long as no other digits follow. Nothing else ends with them."""
MAX_COMPRESSION = 2.4
"""Ratio of the size of a text to its compressed size above which it repeats itself, as in Whisper."""
RUN = re.compile(r"(.{1,8}?)\1{11}")
"""The same few characters twelve times in a row: too short to stand out by their compression."""


def ends_with_number(text: str) -> bool:
    """Whether the last word is a number, so that digits that are read out with pauses may follow."""
    word = next(iter(re.findall(r"\w+", text.lower())[-1:]), "")
    return word[-1:].isdigit() or word in DIGIT_WORDS or word in MISTAKEN_DIGITS


def repeats_itself(text: str) -> bool:
    """Whether the text has so many repetitions that the model may have made them up."""
    data = text.encode()
    return len(data) > MAX_COMPRESSION * len(zlib.compress(data)) or RUN.search(text) is not None
