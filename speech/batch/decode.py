"""The sound of a file, whatever its format, read as fast as it is asked for by a process of its own: decode_process."""

import asyncio
import contextlib
import json
import logging
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType

from django.conf import settings

from inference.messages import BYTES_PER_SAMPLE, SAMPLE_RATE
from speech.errors import ProtocolError
from speech.text.timecode import clock

logger = logging.getLogger(__name__)

PROGRAM = Path(__file__).with_name("decode_process.py")
CHUNK = 2 * SAMPLE_RATE * BYTES_PER_SAMPLE
"""Bytes of a channel; two seconds."""
CHECK_TIMEOUT = 1_800.0
READ_TIMEOUT = 60.0
"""Seconds for the first samples, and between any two chunks. A long file that is taken up again is read from its
beginning."""
CODEC_NAMES = "WAV, MP3, FLAC, Ogg, M4A and WebM, and the sound of most videos"


class AudioError(ProtocolError):
    what = "The file could not be read as sound."
    why = "It is damaged, or no recording at all, whatever its name says."
    action = f"See whether it plays on your machine. These kinds are read: {CODEC_NAMES}."


class NoAudio(AudioError):
    what = "There is no sound in the file."
    why = "It has pictures or other data, and no track of sound."
    action = "Choose a file with sound in it."


class UnknownCodec(AudioError):
    what = "The sound in the file is of a kind that is not read here."
    why = "Its codec is a rare one."
    action = f"Convert it first. These kinds are read: {CODEC_NAMES}."


class TooLong(AudioError):
    what = "The recording is too long."
    action = "Cut it into parts, and send them one by one."


class NotStereo(AudioError):
    what = "The recording has no two sides."
    action = "Send it again without asking for a speaker on each side."


class Truncated(AudioError):
    what = "The file is cut off."
    action = "Send the whole file, or take what is there."


class FileGone(AudioError):
    what = "The file is no longer there."
    why = "It was removed from the server before it was transcribed."
    action = "Send it again."


ERRORS = MappingProxyType({"unreadable": AudioError, "silent": NoAudio, "codec": UnknownCodec})


async def measure(path: Path, may_be_cut: bool = False, is_multichannel: bool = False) -> int:
    """How many samples the file has. It is read to its end, which takes some seconds for each hour of it.

    Raises `BadAudio`, also if it `is_multichannel`, a speaker on each, and is not stereo.
    """
    async with _running("check", 0, path) as process:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT):
                output, complaints = await process.communicate()
        except TimeoutError:
            raise AudioError(why="It takes too long to read.") from None
    if process.returncode:
        raise _error_of(complaints)
    found = json.loads(output)
    samples: int = found["samples"]
    if samples > _max_seconds():
        raise _too_long()
    if is_multichannel and found["channels"] != 2:
        why = f"It has {found['channels']} channel{'s' if found['channels'] != 1 else ''}, and stereo is two."
        raise NotStereo(why=why)
    if found["is_cut"] and not may_be_cut:
        raise Truncated(why=f"It ends in the middle, after {clock(samples / SAMPLE_RATE)}.")
    return samples


async def decode(path: Path | str, start: int = 0, channels: int = 1) -> AsyncGenerator[bytes]:
    """s16le, 24 kHz, mono or its two channels interleaved, in whole samples, from sample `start` on. Of a file that
    breaks off, what is there.

    Raises `BadAudio`.
    """
    position = start
    async with _running("sound", start, Path(path), channels) as process:
        while chunk := await _chunk(process.stdout, channels):
            position += len(chunk) // BYTES_PER_SAMPLE // channels
            if position > _max_seconds():
                raise _too_long()
            yield chunk
        if await process.wait():
            raise _error_of(await process.stderr.read() if process.stderr else b"")
    if not position:
        raise NoAudio


async def _chunk(pipe: asyncio.StreamReader | None, channels: int) -> bytes:
    """The next one; a shorter one is the last."""
    sample = BYTES_PER_SAMPLE * channels
    if pipe is None:
        return b""
    try:
        async with asyncio.timeout(READ_TIMEOUT):
            return await pipe.readexactly(CHUNK * channels)
    except asyncio.IncompleteReadError as end:
        return end.partial[: len(end.partial) // sample * sample]
    except TimeoutError:
        raise AudioError(why="It takes too long to read.") from None


@asynccontextmanager
async def _running(task: str, start: int, path: Path, channels: int = 1) -> AsyncIterator[asyncio.subprocess.Process]:
    try:
        file = await asyncio.to_thread(path.open, "rb")
    except OSError as error:
        logger.warning("a file cannot be opened: %r", error)
        raise FileGone from None
    with file:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", str(PROGRAM), task, str(start), str(_max_seconds()), str(channels)),
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
        await process.communicate()  # `wait` alone never returns while a pipe has something that nobody takes


def _error_of(complaints: bytes) -> AudioError:
    """What the last line says; a process that was killed for using too much says nothing."""
    try:
        told = json.loads(complaints.splitlines()[-1])
        error = ERRORS[told["error"]]()
    except (IndexError, ValueError, LookupError, TypeError):
        told, error = complaints.decode(errors="replace")[-500:], AudioError()
    logger.info("a file was not read: %s", told)
    return error


def _max_seconds() -> int:
    """Samples; a small file may hold days of silence."""
    return int(settings.UPLOAD_MAX_HOURS * 3600 * SAMPLE_RATE)


def _too_long() -> TooLong:
    return TooLong(why=f"It has more than {settings.UPLOAD_MAX_HOURS:g} hours, which is the bound of this site.")
