from speech.synthesis.text_normalization.english import ENGLISH
from speech.synthesis.text_normalization.french import FRENCH

LANGUAGES = {"en": ENGLISH, "fr": FRENCH}
"""Normalization rules by language code."""
