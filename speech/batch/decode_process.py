"""Process that decodes untrusted files: `python -I decode_process.py check|decode START LIMIT CHANNELS < FILE`.

It has none of the site's code, no environment, may write no file, and has limits on memory and time, because the files
are untrusted and FFmpeg's libraries are old and large. `check` reads the file to its end and prints its properties;
`decode` writes s16le, 24 kHz, one or two interleaved CHANNELS, from sample START. A file that declares more than LIMIT
samples is not decoded; of one that declares none, both end after LIMIT samples. An error is a line of JSON on standard
error, with exit status 1.

The audio keeps the time of the file: where a track begins late, or has a gap, there is silence.
"""

import json
import os
import resource
import sys
from collections.abc import Iterator

import av
import av.filter
import numpy as np
from av.container import InputContainer

RATE = 24_000
MEMORY = 1 << 31
"""Bytes of address space; the libraries themselves take half a gigabyte of it."""
PROCESSOR_TIME = 1_800
"""Seconds. Six hours of MP3 take one minute."""
SHORT, SHORT_SECONDS = 0.02, 0.3
"""How much shorter than it declares a file may be: a share of it, and seconds."""
MIN_RATE, MAX_RATE = 4_000, 768_000
"""Hertz. At lower rates a small file is days of audio: 200 kB at 1 Hz are 55 hours."""
UNKNOWN_SIZE = 0x7FFF_0000
"""RIFF sizes above this were written by a streaming encoder that never patched the header."""

CONTAINERS = "wav,w64,aiff,mp3,aac,flac,ogg,mov,matroska,avi,mpegts,mpeg,flv,asf,caf,amr,au"
"""No playlists, because they refer to other files."""
CODECS = {
    *("mp3", "mp3float", "mp2", "mp2float", "aac", "flac", "vorbis", "opus", "libopus", "alac", "ac3", "eac3"),
    *("wmav1", "wmav2", "amrnb", "amrwb", "adpcm_ms", "adpcm_ima_wav", "gsm_ms"),
    *(name for name in av.codecs_available if name.startswith("pcm_")),
}

# Values of the header fields of an MPEG audio frame, layer III (ISO 11172-3 and 13818-3).
MP3_KBITS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
MP3_KBITS_LOW = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
MP3_RATES = (44_100, 48_000, 32_000)
MP3_HALVED = {3: 0, 2: 1, 0: 2}


def main(task: str, start: int, limit: int, channels: int) -> int:
    _set_limits()
    try:
        if task == "check":
            print(json.dumps(check(limit)))
        else:
            write(start, limit, channels)
    except (av.FFmpegError, MemoryError, ValueError) as error:
        print(json.dumps({"error": "unreadable", "detail": str(error)}), file=sys.stderr)
        return 1
    except LookupError as error:
        print(json.dumps({"error": error.args[0]}), file=sys.stderr)
        return 1
    return 0


def _set_limits() -> None:
    limits = {
        resource.RLIMIT_AS: MEMORY,
        resource.RLIMIT_CPU: PROCESSOR_TIME,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 16,
    }
    for limit, value in limits.items():
        resource.setrlimit(limit, (value, value))


def check(limit: int) -> dict[str, object]:
    """Return the number of `samples` and `channels`, and whether the file `is_truncated`."""
    track = Track(channels=1)
    samples = sum(len(pcm) for pcm in track.decode(limit))
    if not samples or track.broken > track.whole:
        raise ValueError(f"{track.broken} packets are broken, {track.whole} are whole")
    is_truncated = samples <= limit and track.is_truncated(samples / RATE)
    return {"samples": samples, "channels": track.file_channels, "is_truncated": is_truncated}


def write(start: int, limit: int, channels: int) -> None:
    position = 0
    for pcm in Track(channels).decode(limit):
        if position + len(pcm) > start:
            sys.stdout.buffer.write(pcm[max(0, start - position) :].tobytes())
        position += len(pcm)


class Track:
    """The first audio track of the file, and its properties, known once it was read."""

    def __init__(self, channels: int) -> None:
        """`channels`: number of channels to decode to; `file_channels` is the file's."""
        self.file_channels = 0
        self.whole = self.broken = 0  # packets
        self._channels = channels
        self._ends_damaged = False
        self._declared: float | None = None

    def decode(self, limit: int) -> Iterator[np.ndarray]:
        """Yield int16[n, channels], 24 kHz; a longer track ends with the first sample after `limit`."""
        position = 0
        with _open() as container:
            track = _first_track(container)
            self._declared = _declared(container, track)
            _check_rate(track.codec_context.sample_rate)
            if (_possible_duration(track, self._declared) or 0.0) > limit / RATE:
                raise LookupError("long")
            self.file_channels = track.codec_context.layout.nb_channels
            resampler = _Resampler((container.start_time or 0) / av.time_base, self._channels)
            try:
                for frame in self._frames(container, track):
                    for pcm in resampler.push(frame):
                        position += len(pcm)
                        yield pcm
                        if position > limit:
                            return
            except av.FFmpegError:  # the file is truncated
                if not position:
                    raise
                self._ends_damaged = True
            yield from resampler.flush()

    def is_truncated(self, seconds: float) -> bool:
        """Whether `seconds` is less than the file had originally."""
        declared = (self._declared or 0.0) * (1 - SHORT) - SHORT_SECONDS
        return self._ends_damaged or seconds < declared or _is_truncated_wav()

    def _frames(self, container: InputContainer, track: av.AudioStream) -> Iterator[av.AudioFrame]:
        """Invalid packets are skipped, as players do."""
        for packet in container.demux(track):
            try:
                yield from packet.decode()
            except av.InvalidDataError:
                self.broken += 1
                self._ends_damaged = True
            else:
                if packet.size:  # an empty one marks the end
                    self.whole += 1
                    self._ends_damaged = track.codec_context.name.startswith("mp3") and _is_truncated_mp3(bytes(packet))


def _open() -> InputContainer:
    sys.stdin.buffer.seek(0)
    options = {"format_whitelist": CONTAINERS, "codec_whitelist": ",".join(CODECS), "protocol_whitelist": "none"}
    return av.open(sys.stdin.buffer, "r", options=options, metadata_errors="replace")


def _first_track(container: InputContainer) -> av.AudioStream:
    tracks = container.streams.audio
    if not tracks:
        raise LookupError("silent")
    if tracks[0].codec_context.name not in CODECS:
        raise LookupError("codec")
    return tracks[0]


def _declared(container: InputContainer, track: av.AudioStream) -> float | None:
    """Duration in seconds that the file declares, or None if it declares none that is reliable."""
    if container.format.name == "mp3":
        return None  # possibly only an estimate from the size of the file
    if track.duration and track.time_base:
        return float(track.duration * track.time_base)
    is_audio_only = len(container.streams) == len(container.streams.audio)
    return container.duration / av.time_base if container.duration and is_audio_only else None


def _check_rate(rate: int) -> None:
    if not MIN_RATE <= rate <= MAX_RATE:
        raise LookupError("rate")


def _possible_duration(track: av.AudioStream, declared: float | None) -> float | None:
    """The declared duration in seconds; of uncompressed audio no more than fits into the file, which may be truncated
    or, if its encoder didn't know the size, declare the largest one."""
    codec = track.codec_context
    if declared is None or not codec.name.startswith("pcm_") or not codec.bit_rate:
        return declared
    return min(declared, os.fstat(sys.stdin.fileno()).st_size * 8 / codec.bit_rate)


def _is_truncated_wav() -> bool:
    file = sys.stdin.buffer
    file.seek(0)
    head = file.read(8)
    declared = int.from_bytes(head[4:], "little") + 8
    return head[:4] == b"RIFF" and file.seek(0, 2) < declared < UNKNOWN_SIZE


def _is_truncated_mp3(frame: bytes) -> bool:
    """Whether a frame is shorter than its header declares: decoders play the last one of a file all the same."""
    version, layer = frame[1] >> 3 & 3, frame[1] >> 1 & 3
    bit_rate, rate = frame[2] >> 4, frame[2] >> 2 & 3
    if layer != 1 or version == 1 or bit_rate in (0, 15) or rate == 3:
        return False  # not layer III, or no declared size
    bits = (MP3_KBITS if version == 3 else MP3_KBITS_LOW)[bit_rate] * 1000 * (144 if version == 3 else 72)
    return len(frame) < bits // (MP3_RATES[rate] >> MP3_HALVED[version]) + (frame[2] >> 1 & 1)


class _Resampler:
    """Resampler that keeps the times of its input: `aresample` fills gaps with silence, and trims overlaps."""

    def __init__(self, start: float, channels: int) -> None:
        """`start`: the file's first timestamp, in seconds."""
        self._start = start
        self._channels = channels
        self._format: tuple[object, ...] = ()
        self._graph: av.filter.Graph | None = None
        self._position = 0

    def push(self, frame: av.AudioFrame) -> Iterator[np.ndarray]:
        format = frame.sample_rate, frame.format.name, frame.layout.name, frame.time_base
        if format != self._format:  # the format can change within a stream
            _check_rate(frame.sample_rate)
            yield from self.flush()
            self._format, self._graph = format, self._graph_for(frame)
        if frame.pts is not None and frame.time_base:
            frame.pts -= round(self._start / frame.time_base)
        yield from self._push(frame)

    def flush(self) -> Iterator[np.ndarray]:
        yield from self._push(None)

    def _graph_for(self, frame: av.AudioFrame) -> av.filter.Graph:
        graph = av.filter.Graph()
        source = graph.add_abuffer(
            sample_rate=frame.sample_rate, format=frame.format, layout=frame.layout, time_base=frame.time_base
        )
        timed = graph.add("aresample", f"{RATE}:async=1:first_pts={self._position}")
        layout = "mono" if self._channels == 1 else "stereo"
        mixed = graph.add("aformat", f"sample_fmts=s16:channel_layouts={layout}:sample_rates={RATE}")
        sink = graph.add("abuffersink")
        for one, next_one in ((source, timed), (timed, mixed), (mixed, sink)):
            one.link_to(next_one)
        graph.configure()
        return graph

    def _push(self, frame: av.AudioFrame | None) -> Iterator[np.ndarray]:
        graph = self._graph
        if graph is None:
            return
        graph.push(frame)
        while True:
            try:
                pcm = graph.pull().to_ndarray().reshape(-1, self._channels)
            except (av.BlockingIOError, av.EOFError):
                return
            self._position += len(pcm)
            yield pcm


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], *map(int, sys.argv[2:])))
