"""Decoding of audio files of any format, in a process of its own (`decoder`), as fast as the audio is read."""

import asyncio
import contextlib
import json
import logging
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from django.conf import settings

from inference.messages import BYTES_PER_SAMPLE, SAMPLE_RATE
from speech.errors import ProtocolError
from speech.text.timecode import clock

logger = logging.getLogger(__name__)

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from decoder.main import main
sys.exit(main(sys.argv[2], *map(int, sys.argv[3:])))
"""
"""It finds the package `decoder` alone, nothing else of the site."""
CHUNK = 2 * SAMPLE_RATE * BYTES_PER_SAMPLE
"""Bytes per channel: two seconds."""
CHECK_TIMEOUT = 1_800.0
READ_TIMEOUT = 120.0
"""Seconds until the first samples, and between two chunks. The file is searched for joined
recordings first, and one that is resumed is read from its beginning."""
MIN_CANCELED = 1.0
"""Seconds. If the channels cancel each other for less, there is no note about it."""
MAX_NAME = 80
"""Characters of a track's title, or language, in a note."""
CODEC_NAMES = "WAV, MP3, FLAC, Ogg, M4A, WebM and most video formats"


class AudioError(ProtocolError):
    what = "Couldn't read the file as audio."
    why = "It is damaged or isn't an audio file."
    action = f"Check that it plays on your computer. Supported formats: {CODEC_NAMES}."


class NoAudio(AudioError):
    what = "The file has no audio."
    why = "It contains no audio track."
    action = "Choose a file with audio."


class UnknownCodec(AudioError):
    what = "Unsupported audio format."
    why = "The audio codec isn't supported."
    action = f"Convert the file first. Supported formats: {CODEC_NAMES}."


class TooLong(AudioError):
    what = "The recording is too long."
    action = "Split it into parts and upload them separately."

    def __init__(self) -> None:
        super().__init__(why=f"It is longer than {settings.UPLOAD_MAX_HOURS:g} hours, the limit on this site.")


class UnsupportedRate(AudioError):
    what = "Unsupported sample rate."
    why = "It isn't between 4 and 768 kHz."
    action = "Convert the file first, for example to 16 or 48 kHz."


class NotStereo(AudioError):
    what = "The recording isn't stereo."
    action = "Upload it again without “One speaker per stereo channel”."


class Truncated(AudioError):
    what = "The file is truncated."
    action = "Upload the complete file, or transcribe what is there."


class FileGone(AudioError):
    what = "The file no longer exists."
    why = "It was removed from the server before it was transcribed."
    action = "Upload it again."


class NoRecording(AudioError):
    """The file is of another kind."""

    what = "The file isn't a recording."

    def __init__(self, why: str, action: str = "Choose the recording itself.") -> None:
        super().__init__(why=why, action=action)


class LacksIndex(AudioError):
    what = "The file is truncated."
    why = "It ends before its index, without which an M4A, MP4 or MOV file can't be read."
    action = "Upload the complete file."


UNPACK = "Unpack it, and upload the recordings that it contains."
ERRORS: Mapping[str, Callable[[], AudioError]] = MappingProxyType(
    {
        "unreadable": AudioError,
        "silent": NoAudio,
        "codec": UnknownCodec,
        "rate": UnsupportedRate,
        "long": TooLong,
        "incomplete": LacksIndex,
        "zip": partial(NoRecording, "It is a ZIP archive or an Office document.", UNPACK),
        "archive": partial(NoRecording, "It is a compressed archive.", UNPACK),
        "text": partial(NoRecording, "It is a text file."),
        "document": partial(NoRecording, "It is a document."),
        "image": partial(NoRecording, "It is an image."),
        "midi": partial(NoRecording, "It is a MIDI file, which has notes and no sound."),
        "zeros": partial(NoRecording, "It contains only zeros.", "Copy or download it again."),
    }
)


@dataclass(frozen=True)
class Properties:
    """What is known of a recording once it was read."""

    samples: int
    note: str
    """What its owner should know about how it is transcribed: of its parts, tracks and channels. "" if there is
    nothing unusual."""


async def measure(path: Path, accepts_truncated: bool = False, is_multichannel: bool = False) -> Properties:
    """Return the properties of the file. Reads it to its end, which takes some seconds per hour of audio.

    Raises `AudioError`, also if the file is truncated and this is not accepted, or `is_multichannel` and not stereo.
    """
    async with _running("check", 0, path) as process:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT):
                output, errors = await process.communicate()
        except TimeoutError:
            raise AudioError(why="Reading it took too long.") from None
    if process.returncode:
        raise _error_of(errors)
    found = json.loads(output)
    samples: int = found["samples"]
    if samples > _max_samples():
        raise TooLong
    if is_multichannel and found["channels"] != 2:
        why = f"It has {found['channels']} channel{'s' if found['channels'] != 1 else ''}; two are required."
        raise NotStereo(why=why)
    if found["is_truncated"] and not accepts_truncated:
        raise Truncated(why=f"It ends unexpectedly after {clock(samples / SAMPLE_RATE)}.")
    return Properties(samples, _note(found, is_multichannel))


def _note(found: dict[str, Any], is_multichannel: bool) -> str:
    sentences = []
    if found["parts"] > 1:
        sentences.append(f"It consists of {found['parts']} joined recordings.")
    if found["tracks"] > 1:
        title = f"“{found['title'][:MAX_NAME]}”" if found["title"] else ""
        names = ", ".join(filter(None, [found["language"].replace("und", "")[:MAX_NAME], title]))
        which = f"number {found['track']}" + (f" ({names})" if names else "")
        sentences.append(f"Of its {found['tracks']} audio tracks, {which} is transcribed.")
    if found["canceled"] >= MIN_CANCELED and not is_multichannel:
        sentences.append("Where its two channels cancel each other, the louder one is transcribed.")
    return " ".join(sentences)


async def decode(path: Path | str, start: int = 0, channels: int = 1) -> AsyncGenerator[bytes]:
    """Yield s16le, 24 kHz, mono or two interleaved channels, in whole samples, from sample `start`; of a truncated file
    what is there.

    Raises `AudioError`.
    """
    position = start
    async with _running("decode", start, Path(path), channels) as process:
        while chunk := await _chunk(process.stdout, channels):
            position += len(chunk) // BYTES_PER_SAMPLE // channels
            if position > _max_samples():
                raise TooLong
            yield chunk
        if await process.wait():
            raise _error_of(await process.stderr.read() if process.stderr else b"")
    if not position:
        raise NoAudio


async def _chunk(pipe: asyncio.StreamReader | None, channels: int) -> bytes:
    """The next chunk; a shorter one is the last."""
    sample = BYTES_PER_SAMPLE * channels
    if pipe is None:
        return b""
    try:
        async with asyncio.timeout(READ_TIMEOUT):
            return await pipe.readexactly(CHUNK * channels)
    except asyncio.IncompleteReadError as end:
        return end.partial[: len(end.partial) // sample * sample]
    except TimeoutError:
        raise AudioError(why="Reading it took too long.") from None


@asynccontextmanager
async def _running(task: str, start: int, path: Path, channels: int = 1) -> AsyncIterator[asyncio.subprocess.Process]:
    try:
        file = await asyncio.to_thread(path.open, "rb")
    except OSError as error:
        logger.warning("could not open file: %r", error)
        raise FileGone from None
    with file:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-c", PROGRAM, str(Path(__file__).parent)),
            *(task, str(start), str(_max_samples()), str(channels)),
            stdin=file,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={},
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()  # `wait` alone never returns while a pipe holds unread data


def _error_of(output: bytes) -> AudioError:
    """The error in the last line; a process that was killed for exceeding its limits writes none."""
    try:
        detail = json.loads(output.splitlines()[-1])
        error = ERRORS[detail["error"]]()
    except (IndexError, ValueError, LookupError, TypeError):
        detail, error = output.decode(errors="replace")[-500:], AudioError()
    logger.info("could not decode file: %s", detail)
    return error


def _max_samples() -> int:
    """A small file can hold days of silence."""
    return int(settings.UPLOAD_MAX_HOURS * 3600 * SAMPLE_RATE)
