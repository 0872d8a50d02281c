"""Decoding of a whole file: its parts one after another, the chosen track of each."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import av
import numpy as np
from av.container import InputContainer

from .downmix import Downmix
from .formats import mp3
from .formats.wav import audio_of
from .parts import parts
from .selection import choose
from .slices import Slice
from .timeline import RATE, Timeline, check_rate

SHORT, SHORT_SECONDS = 0.02, 0.3
"""How much shorter than it declares a part may be: a share of it, and seconds."""

ESTIMATED = {"mp3", "aac", "amr", "mpegts", "mpeg"}
"""Formats that declare no duration; the library guesses by the file's size, or its last timestamp."""
DISCONTINUOUS = 0x200
"""Flag of formats whose timestamps may jump: AVFMT_TS_DISCONT."""
CONTAINERS = "wav,w64,aiff,mp3,aac,flac,ogg,mov,matroska,avi,mpegts,mpeg,flv,asf,caf,amr,au"
"""No playlists, because they refer to other files."""
CODECS = {
    *("mp3", "mp3float", "mp2", "mp2float", "aac", "flac", "vorbis", "opus", "libopus", "alac", "ac3", "eac3"),
    *("wmav1", "wmav2", "amrnb", "amrwb", "adpcm_ms", "adpcm_ima_wav", "gsm_ms"),
    *(name for name in av.codecs_available if name.startswith("pcm_")),
}


@dataclass
class Found:
    """What was found in the file, complete once it was read."""

    channels: int = 0
    """The smallest number of a part."""
    parts: int = 0
    tracks: int = 0
    """Number of audio tracks of the first part, and which of them is decoded, counted from 1."""
    track: int = 0
    language: str = ""
    title: str = ""
    canceled: int = 0
    """Samples where the channels canceled each other."""
    whole: int = 0
    """Packets."""
    broken: int = 0
    is_truncated: bool = False
    """Whether a part is shorter than it was originally, or can't be read."""


class Recording:
    def __init__(self, file: BinaryIO, channels: int) -> None:
        """`channels`: number of channels to decode to, 1 or 2; `found.channels` is the file's."""
        self.found = Found()
        self._file = file
        self._channels = channels
        self._position = 0

    def decode(self, limit: int) -> Iterator[np.ndarray]:
        """Yield int16[n, channels], 24 kHz; a longer recording ends with the first sample after `limit`."""
        for start, end in parts(self._file):
            try:
                for pcm in self._decode_part(start, end, limit):
                    self._position += len(pcm)
                    yield pcm
                    if self._position > limit:
                        return
            except av.FFmpegError:
                if not self._position:
                    raise
                self.found.is_truncated = True

    def _decode_part(self, start: int, end: int, limit: int) -> Iterator[np.ndarray]:
        before = self._position
        wav = audio_of(self._file, start, end, limit / RATE)
        data = Slice(self._file, start, wav.end if wav else end)
        with _open(data) as container:
            number = self._choose_track(container)
        with _open(data) as container:
            track = container.streams.audio[number]
            declared = wav.seconds if wav else _declared(container, track)
            if before + (_possible_duration(track, declared, end - start) or 0.0) * RATE > limit:
                raise LookupError("long")
            is_damaged = yield from self._decode_track(container, track)
        seconds = (self._position - before) / RATE
        is_short = not wav and seconds < (declared or 0.0) * (1 - SHORT) - SHORT_SECONDS
        self.found.is_truncated |= is_damaged or is_short or bool(wav and wav.is_truncated)

    def _choose_track(self, container: InputContainer) -> int:
        """Number of the audio track to decode, from 0."""
        tracks = container.streams.audio
        if not tracks:
            raise LookupError("silent")
        supported = tuple(track for track in tracks if track.codec_context.name in CODECS)
        if not supported:
            raise LookupError("codec")
        track = choose(supported, container)
        check_rate(track.codec_context.sample_rate)
        found, number, channels = self.found, tracks.index(track), track.codec_context.layout.nb_channels
        if not found.parts:
            found.tracks, found.track = len(tracks), number + 1
            found.language, found.title = track.language or "", track.metadata.get("title", "")
        found.channels = min(found.channels, channels) if found.parts else channels
        found.parts += 1
        return number

    def _decode_track(self, container: InputContainer, track: av.AudioStream) -> Generator[np.ndarray, None, bool]:
        """Return whether the track ends damaged."""
        start = (container.start_time or 0) / av.time_base
        is_continuous = not container.format.flags & DISCONTINUOUS
        timeline = Timeline(self._channels, self._position, start, is_continuous)
        downmix = Downmix()
        packets = _Packets(track)
        try:
            for frame in packets.frames(container):
                if container.format.name == "aac":
                    frame.pts = None  # it has no times, and the demuxer counts them as if its rate never changed
                for pcm in timeline.push(frame):
                    yield from self._mix(downmix, pcm)
        except av.FFmpegError:  # the file is truncated
            if not self._position:
                raise
            packets.end_damaged = True
        for pcm in timeline.flush():
            yield from self._mix(downmix, pcm)
        yield downmix.flush()
        self.found.parts += timeline.restarts
        self.found.canceled += downmix.canceled
        self.found.whole += packets.whole
        self.found.broken += packets.broken
        return packets.end_damaged

    def _mix(self, downmix: Downmix, pcm: np.ndarray) -> Iterator[np.ndarray]:
        if pcm.shape[1] > self._channels:
            yield downmix.push(pcm)
        else:
            yield downmix.flush()
            yield pcm


class _Packets:
    """The packets of a track."""

    def __init__(self, track: av.AudioStream) -> None:
        self.whole = self.broken = 0
        self.end_damaged = False
        self._track = track

    def frames(self, container: InputContainer) -> Iterator[av.AudioFrame]:
        """Invalid packets are skipped, as players do."""
        is_mp3 = self._track.codec_context.name.startswith("mp3")
        for packet in container.demux(self._track):
            try:
                yield from packet.decode()
            except av.InvalidDataError:
                self.broken += 1
                self.end_damaged = True
            else:
                if packet.size:  # an empty one marks the end
                    self.whole += 1
                    self.end_damaged = is_mp3 and mp3.is_truncated(bytes(packet))


def _open(file: Slice) -> InputContainer:
    file.seek(0)
    options = {
        "format_whitelist": CONTAINERS,
        "codec_whitelist": ",".join(CODECS),
        "protocol_whitelist": "none",
        "ignore_length": "1",  # of WAV files: `wav` knows better
    }
    return av.open(file, "r", options=options, metadata_errors="replace")


def _declared(container: InputContainer, track: av.AudioStream) -> float | None:
    """Duration in seconds that the file declares, or None if it declares none that is reliable."""
    if container.format.name in ESTIMATED:
        return None
    if track.duration and track.time_base:
        return float((track.duration - max(0, track.start_time or 0)) * track.time_base)
    is_audio_only = len(container.streams) == len(container.streams.audio)
    return container.duration / av.time_base if container.duration and is_audio_only else None


def _possible_duration(track: av.AudioStream, declared: float | None, size: int) -> float | None:
    """The declared duration in seconds; of uncompressed audio no more than fits into the part of so many bytes, which
    may be truncated or, if its encoder didn't know the size, declare the largest one."""
    codec = track.codec_context
    if declared is None or not codec.name.startswith("pcm_") or not codec.bit_rate:
        return declared
    return min(declared, size * 8 / codec.bit_rate)
