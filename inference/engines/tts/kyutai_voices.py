"""Voices that Kyutai published, as users see them, by the names of their files.

The sources are the README of https://huggingface.co/kyutai/tts-voices, the list of voices in Unmute for the two that
come from Freesound, and the README of the package pocket-tts.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from inference.messages import Voice

LICENSES = {
    "alba-mackenna": "CC BY 4.0",
    "cml-tts": "CC BY 4.0",
    "ears": "CC BY-NC 4.0",
    "expresso": "CC BY-NC 4.0",
    "unmute-prod-website": "CC0",
    "unmute-prod-website/degaulle-2": "",  # a speech of 1940, about whose license its publisher isn't sure
    "unmute-prod-website/ex04_narration_longform_00001": "CC BY-NC 4.0",  # from Expresso
    "unmute-prod-website/freesound/440565_why-is-there-educationwav": "CC BY 3.0",
    "unmute-prod-website/freesound/519189_request-42---hmm-i-dont-knowwav": "CC BY 4.0",
    "unmute-prod-website/p329_022": "CC BY 4.0",  # from VCTK
    "vctk": "CC BY 4.0",
    "voice-donations": "CC0",
    "voice-zero": "CC0",
}
"""By folder, and by voice where it differs."""

POCKET_LICENSES = {
    **dict.fromkeys(["alba", "daan"], "CC BY 4.0"),
    **dict.fromkeys(["anna", "azelma", "charles", "eponine", "eve", "fantine", "george"], "CC BY 4.0"),
    **dict.fromkeys(["jane", "mary", "michael", "paul", "vera"], "CC BY 4.0"),
    **dict.fromkeys(["bill_boerst", "caro_davy", "peter_yearsley", "stuart_bell"], "CC0"),
    **dict.fromkeys(["estelle", "javert", "marius"], "CC0"),
    **dict.fromkeys(["giovanni", "lola"], "CC0"),  # Common Voice
    **dict.fromkeys(["cosette", "jean"], "CC BY-NC 4.0"),
}
"""By the name of a voice in the package pocket-tts; the licenses of its other voices are unknown."""

COLLECTIONS = {
    "alba-mackenna": "Alba MacKenna",
    "cml-tts": "CML-TTS",
    "ears": "EARS",
    "expresso": "Expresso",
    "unmute-prod-website": "Unmute",
    "vctk": "VCTK",
    "voice-donations": "donation",
    "voice-zero": "Voice-Zero",
}

LABELS = [
    (r"cml-tts/\w+/(\d+)_[\d_-]+", r"speaker \1"),
    (r"ears/(p\d+)/freeform_speech_\d+", r"\1"),
    (r"ears/(p\d+)/emo_(\w+)_freeform", r"\1 \2"),
    (r"expresso/(ex\d+)-ex\d+_([^_]+)_\d+_channel1_(\d+)s", r"\1 \2 (\3 s)"),  # the speaker of the first channel
    (r"expresso/ex\d+-(ex\d+)_([^_]+)_\d+_channel2_(\d+)s", r"\1 \2 (\3 s)"),
    (r"unmute-prod-website/freesound/\d+_(.+?)(?:wav)?", r"\1"),
    (r"vctk/([ps]\d+)_?\d*", r"\1"),
]
"""Pattern of a name, and the label of such a voice. The seconds of Expresso's are the place in the recording."""

LANGUAGE_NAMES = {
    "ar": "Arabic",
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "hi": "Hindi",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "pl": "Polish",
    "pt": "Portuguese",
    "ru": "Russian",
    "zh": "Chinese",
}
_CODES = {name.lower(): code for code, name in LANGUAGE_NAMES.items()}

LANGUAGES = dict.fromkeys(
    [
        "unmute-prod-website/degaulle-2",
        "unmute-prod-website/developpeuse-3",
        "unmute-prod-website/fabieng-enhanced-v2",
    ],
    "fr",
)
"""Languages of voices whose names don't have it."""


def describe(name: str, languages: Mapping[str, str]) -> Voice:
    """The voice of a file without its signature: `cml-tts/fr/10087_11650_000028-0002.wav`.

    `languages`: code to name, the model's main language first. A voice recorded in another language speaks those of the
    model, so it is listed in the main one.
    """
    stem = name.removesuffix(".wav").removesuffix(".mp3")
    collection, _, rest = stem.partition("/")
    recorded = LANGUAGES.get(_original(stem)) or next(_codes_in(stem, languages), "")
    speaks = recorded in languages
    return Voice(
        name,
        _label(stem),
        recorded if speaks else next(iter(languages)),
        COLLECTIONS.get(collection, collection) if rest else "",
        "" if speaks or not recorded else f"Recorded in {LANGUAGE_NAMES[recorded]}",
        license_of(name),
    )


def license_of(name: str) -> str:
    """Short name of the license, "" if unknown."""
    path = PurePosixPath(_original(name.removesuffix(".wav").removesuffix(".mp3")))
    return next((LICENSES[str(each)] for each in (path, *path.parents) if str(each) in LICENSES), "")


def _label(stem: str) -> str:
    for pattern, label in LABELS:
        if match := re.fullmatch(pattern, _original(stem)):
            is_enhanced = _original(stem) != stem
            return _spaced(match.expand(label) + (" enhanced" if is_enhanced else ""))
    return _spaced(stem.partition("/")[2] or stem)


def _spaced(label: str) -> str:
    return re.sub(r"[_\s/]+|-{2,}", " ", label).strip()


def _original(stem: str) -> str:
    """The name of the recording that an enhanced one was made from."""
    return stem.removesuffix("_enhanced")


def _codes_in(stem: str, languages: Mapping[str, str]) -> Iterator[str]:
    """Codes of the languages that a name has: a folder `fr`, or a name in parentheses."""
    yield from (folder for folder in stem.split("/")[:-1] if folder in LANGUAGE_NAMES or folder in languages)
    yield from (_CODES[word.lower()] for word in re.findall(r"\((\w+)\)", stem) if word.lower() in _CODES)
