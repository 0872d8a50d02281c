"""Transcripts compared by their words alone."""

import re

import jiwer


def normalise(text: str) -> str:
    """Lower case, letters and apostrophes, one space between words."""
    return " ".join(re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)*", text.lower().replace("’", "'")))


def word_error_rate(reference: str, heard: str) -> float:
    """The share of the reference's words that are missing, wrong or too many in what was heard."""
    return float(jiwer.wer(normalise(reference), normalise(heard)))
