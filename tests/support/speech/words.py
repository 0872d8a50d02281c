"""Comparison of transcripts by their words alone."""

import re

import jiwer


def normalize(text: str) -> str:
    """Reduce text to lower-case letters and apostrophes, with one space between words."""
    return " ".join(re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)*", text.lower().replace("’", "'")))


def word_error_rate(reference: str, transcript: str) -> float:
    """Share of the reference's words that are missing, wrong or too many in the transcript."""
    return float(jiwer.wer(normalize(reference), normalize(transcript)))
