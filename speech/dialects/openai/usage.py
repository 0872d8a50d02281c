"""What a request used, in the unit in which OpenAI's model of that name reports it. A word counts as a token, as in log
probabilities."""

import re
from math import ceil
from typing import Any

TOKEN_MODELS = re.compile(r"gpt-(\w+-)*(transcribe|tts)(-\S+)?")
"""Models that report tokens. All others report seconds."""
INPUT_TOKENS = 10
"""Tokens of a second of audio to transcribe; OpenAI's are as long."""
OUTPUT_TOKENS = 20
"""Tokens of a second of synthesized audio."""


def of_transcription(model: str, seconds: float, words: int) -> dict[str, Any]:
    if not TOKEN_MODELS.fullmatch(model):
        return {"type": "duration", "seconds": ceil(seconds)}
    audio = ceil(INPUT_TOKENS * seconds)
    details = {"audio_tokens": audio, "text_tokens": 0}
    return {"type": "tokens", "input_token_details": details, **_tokens(audio, words)}


def of_speech(text: str, seconds: float) -> dict[str, Any]:
    return _tokens(len(text.split()), ceil(OUTPUT_TOKENS * seconds))


def _tokens(input: int, output: int) -> dict[str, int]:
    return {"input_tokens": input, "output_tokens": output, "total_tokens": input + output}
