"""Query parameters of `/v1/speak`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from zlib import crc32

from django.http import QueryDict

from inference.messages import SAMPLE_RATE, Status
from speech.dialects.deepgram.errors import InvalidParameter
from speech.dialects.deepgram.parameters import choice, number, refuse, whole_number
from speech.dialects.encoder import FORMATS, Format
from speech.synthesis.options import SynthesisOptions
from speech.synthesis.voices import select_voice

UNSUPPORTED = ("callback",)
MODEL_ALIASES = re.compile(r"aura(?:-2)?-[a-z]+-([a-z]{2})")
"""Deepgram's own voices: one of the language, for each name the same."""
RATES = (8_000, 16_000, 24_000, 32_000, 48_000)
MIN_SPEED, MAX_SPEED = 0.7, 1.5


@dataclass(frozen=True)
class Encoding:
    codec: str  # FFmpeg's names
    containers: Mapping[str, str]
    """Deepgram's names of containers, and FFmpeg's; the first is the default."""
    content_type: str
    rates: tuple[int, ...]
    """Hz; the first is the default."""
    bit_rates: tuple[int, int, int] | None = None
    """Default, least and most, in bits per second; None: not configurable."""


_FIRST_24_000 = (SAMPLE_RATE, *(rate for rate in RATES if rate != SAMPLE_RATE))
LIVE_ENCODINGS = {
    "linear16": Encoding("pcm_s16le", {"wav": "wav", "none": "s16le"}, "audio/l16", _FIRST_24_000),
    "mulaw": Encoding("pcm_mulaw", {"wav": "wav", "none": "mulaw"}, "audio/mulaw", (8_000, 16_000)),
    "alaw": Encoding("pcm_alaw", {"wav": "wav", "none": "alaw"}, "audio/alaw", (8_000, 16_000)),
}
ENCODINGS = {
    "mp3": Encoding("libmp3lame", {"none": "mp3"}, "audio/mpeg", (22_050,), (48_000, 32_000, 48_000)),
    "opus": Encoding("libopus", {"ogg": "ogg"}, "audio/ogg; codecs=opus", (48_000,), (12_000, 4_000, 650_000)),
    "flac": Encoding("flac", {"none": "flac"}, "audio/flac", (SAMPLE_RATE, 8_000, 16_000, 22_050, 32_000, 48_000)),
    "aac": Encoding("aac", {"none": "adts"}, "audio/aac", (22_050,), (48_000, 4_000, 192_000)),
    **LIVE_ENCODINGS,
}
OPTIONS = {"mp3": FORMATS["mp3"].options, "ogg": FORMATS["opus"].options}
"""Of FFmpeg's containers, so that each piece is sent at once."""


def file_format(query: QueryDict) -> Format:
    """Raises `InvalidParameter`."""
    refuse(query, UNSUPPORTED)
    name = choice(query, "encoding", "mp3", ENCODINGS)
    encoding = ENCODINGS[name]
    return _format(query, encoding, choice(query, "container", next(iter(encoding.containers)), encoding.containers))


def live_format(query: QueryDict) -> Format:
    """Raw samples: a WebSocket has no containers. Raises `InvalidParameter`."""
    refuse(query, UNSUPPORTED)
    encoding = LIVE_ENCODINGS[choice(query, "encoding", "linear16", LIVE_ENCODINGS)]
    return _format(query, encoding, choice(query, "container", "none", ("none",)))


def _format(query: QueryDict, encoding: Encoding, container: str) -> Format:
    rate = int(choice(query, "sample_rate", str(encoding.rates[0]), [str(rate) for rate in encoding.rates]))
    bit_rate = 0
    if encoding.bit_rates:
        default, least, most = encoding.bit_rates
        bit_rate = whole_number(query, "bit_rate", default, least, most)
    elif "bit_rate" in query:
        raise InvalidParameter("“bit_rate” isn't supported.", "The encoding has none that is configurable.")
    content_type = encoding.content_type
    if encoding in LIVE_ENCODINGS.values():
        content_type = "audio/wav" if container == "wav" else f"{content_type};rate={rate};channels=1"
    name = encoding.containers[container]
    return Format(content_type, name, encoding.codec, OPTIONS.get(name, {}), rate, bit_rate)


def synthesis_options(query: QueryDict, engines: Mapping[str, Status]) -> SynthesisOptions:
    """`engines`: those that are running, with their voices; if there are none, the job says so.

    Raises `StreamError`.
    """
    model = query.get("model", "")
    speed = number(query, "speed", 1.0, MIN_SPEED, MAX_SPEED)
    controls = {} if speed == 1.0 else {"speed": speed}
    if not engines:
        return SynthesisOptions(controls=controls)
    if alias := MODEL_ALIASES.fullmatch(model):
        voices = [each for status in engines.values() for each in status.voices or []]
        names = [each.name for each in voices if each.language.partition("-")[0].lower() == alias[1]]
        if not names:
            raise InvalidParameter(f"No voice speaks “{alias[1]}”.", "GET /v1/models lists them.")
        return _selected(engines, SynthesisOptions(voice=names[crc32(model.encode()) % len(names)], controls=controls))
    engine, voice = (model, "") if model in engines else ("", model)
    return _selected(engines, SynthesisOptions(engine, voice, controls=controls))


def _selected(engines: Mapping[str, Status], options: SynthesisOptions) -> SynthesisOptions:
    """With the names of the engine and the voice."""
    engine, voice = select_voice(engines, options)
    return replace(options, engine=engine.engine, voice=voice.name)
