"""Decoding of an untrusted stream on standard input while it arrives, with the limits of `main`.

Whenever all input is decoded and more is needed, a block goes to standard output: the number of bytes that were read
so far, the size of the audio that follows, and the audio since the last block, as s16le, mono, 24 kHz. The last block
has the audio up to the end of the stream. An error is a line of JSON on standard error, with exit status 1.
"""

import json
import os
import struct
import sys
from collections.abc import Iterator

import av
import numpy as np
import soundfile

from .downmix import Downmix
from .main import set_limits
from .recording import CODECS
from .timeline import Timeline, check_rate

BLOCK = struct.Struct("<QI")
DOWNMIX_BLOCK, DOWNMIX_MEMORY = 480, 0.7
"""20 ms, as of other live audio."""
FLAC_SAMPLES = 480
READ = 65_536
"""Bytes to read at once, at most."""


def main(format: str) -> int:
    """`format`: FFmpeg's name of the container."""
    set_limits()
    output = Output()
    stream = (FlacInput if format == "flac" else Input)(output)
    try:
        frames = _flac_frames(stream) if isinstance(stream, FlacInput) else _frames(stream, format)
        for pcm in _mono(frames):
            output.add(pcm)
        output.flush()
    except (av.FFmpegError, soundfile.SoundFileError, MemoryError, ValueError) as error:
        is_incomplete = format == "mov" and stream.is_ended and not output.has_audio
        name = "incomplete" if is_incomplete else "unreadable"
        print(json.dumps({"error": name, "detail": str(error)}), file=sys.stderr)
        return 1
    except LookupError as error:
        print(json.dumps({"error": error.args[0]}), file=sys.stderr)
        return 1
    return 0


class Output:
    def __init__(self) -> None:
        self.received = self._reported = 0  # bytes of the input
        self.has_audio = False
        self._pieces: list[bytes] = []

    def add(self, pcm: np.ndarray) -> None:
        self.has_audio = True
        self._pieces.append(pcm.tobytes())

    def flush(self) -> None:
        """Write a block, if there is anything to report."""
        audio = b"".join(self._pieces)
        if not audio and self.received == self._reported:
            return
        self._pieces, self._reported = [], self.received
        block = memoryview(BLOCK.pack(self.received, len(audio)) + audio)
        while block:
            block = block[os.write(1, block) :]


class Input:
    """Standard input as a file for FFmpeg, which takes one without `seek` for a stream."""

    def __init__(self, output: Output) -> None:
        self.is_ended = False
        self._output = output

    def read(self, size: int = READ) -> bytes:
        """Read what has arrived. What was decoded is reported first: this may wait."""
        self._output.flush()
        data = os.read(0, min(size, READ))
        self._output.received += len(data)
        self.is_ended = not data
        return data


class FlacInput(Input):
    """Standard input for libsndfile, which seeks while it reads a header."""

    def __init__(self, output: Output) -> None:
        super().__init__(output)
        self._head = b""
        self._position = 0

    def readinto(self, buffer: memoryview) -> int:
        data = self._head[self._position : self._position + len(buffer)]
        if not data:
            data = self.read(len(buffer))
            if len(self._head) < READ:
                self._head += data
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        """The end is unknown, so it is far away."""
        self._position = offset + (0, self._position, 1 << 40)[whence]
        return self._position

    def tell(self) -> int:
        return self._position


def _frames(stream: Input, format: str) -> Iterator[av.AudioFrame]:
    """Frames of the first audio track, without timestamps: they follow one another as they arrive."""
    options = {
        "codec_whitelist": ",".join(CODECS),
        "protocol_whitelist": "none",
        "probesize": "32",  # together with the next two: nothing waits for what follows
        "analyzeduration": "0",
        "fflags": "nobuffer",
    }
    with av.open(stream, "r", format=format, options=options, metadata_errors="replace") as container:
        tracks = container.streams.audio
        if not tracks:
            raise LookupError("silent")
        if tracks[0].codec_context.name not in CODECS:
            raise LookupError("codec")
        for packet in container.demux(tracks[0]):
            try:
                frames = packet.decode()
            except av.InvalidDataError:
                continue  # as players do
            for frame in frames:
                frame.pts = None
                yield frame


def _flac_frames(stream: FlacInput) -> Iterator[av.AudioFrame]:
    """FFmpeg's parser holds back ten frames of FLAC, up to seconds, so libsndfile decodes it."""
    file = soundfile.SoundFile(stream)
    file.seekable = lambda: False  # else each `read` seeks
    while len(samples := file.read(FLAC_SAMPLES, dtype="int16", always_2d=True)):
        frame = av.AudioFrame.from_ndarray(
            samples.reshape(1, -1),
            format="s16",
            layout={1: "mono", 2: "stereo"}.get(file.channels, f"{file.channels}c"),
        )
        frame.sample_rate = file.samplerate
        yield frame


def _mono(frames: Iterator[av.AudioFrame]) -> Iterator[np.ndarray]:
    timeline = Timeline(channels=1, position=0, start=0.0, is_continuous=True)
    downmix = Downmix(DOWNMIX_BLOCK, DOWNMIX_MEMORY)
    for frame in frames:
        check_rate(frame.sample_rate)
        for pcm in timeline.push(frame):
            yield downmix.push(pcm) if pcm.shape[1] == 2 else pcm
    for pcm in timeline.flush():
        yield downmix.push(pcm) if pcm.shape[1] == 2 else pcm
    yield downmix.flush()
