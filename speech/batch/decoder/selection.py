"""The choice among several audio tracks: the default one, unless it is silent; else the one with speech."""

from collections.abc import Iterator

import av
import av.filter
import numpy as np
from av.container import InputContainer

from .timeline import RATE

EXCERPTS = 4
"""Number of places at which the tracks are compared, spread over the file."""
EXCERPT = 20.0
"""Seconds."""
BLOCK = RATE * 4 // 25
"""Samples over which a level is measured: 0.16 s, a syllable."""
STEADY_DB = 1.0
"""A level that varies less is silence, or noise."""
QUIETEST_DB = -70.0
"""Lower levels count as this one."""


def choose(tracks: tuple[av.AudioStream, ...], container: InputContainer) -> av.AudioStream:
    """Reads parts of `container`, whose audio tracks `tracks` are."""
    if len(tracks) == 1:
        return tracks[0]
    scores = _speech_scores(tracks, container)
    audible = [track for track in tracks if scores[track.index] > STEADY_DB] or list(tracks)
    default = [track for track in audible if track.disposition & av.stream.Disposition.default]
    candidates = default if len(default) == 1 else audible
    return max(candidates, key=lambda track: scores[track.index])  # of equal ones the first


def _speech_scores(tracks: tuple[av.AudioStream, ...], container: InputContainer) -> dict[int, float]:
    """How much the level of each track varies, in dB: speech rises and falls; silence doesn't, music hardly does.

    The container can't be read from its beginning afterwards.
    """
    levels: dict[int, list[np.ndarray]] = {track.index: [] for track in tracks}
    resamplers = {track.index: av.AudioResampler("s16", "mono", RATE) for track in tracks}
    for packet in _excerpts(tracks, container):
        try:
            for frame in packet.decode():
                frame.pts = None
                for mono in resamplers[packet.stream_index].resample(frame):
                    levels[packet.stream_index].append(mono.to_ndarray().reshape(-1))
        except (av.FFmpegError, ValueError):
            continue  # damaged; or its format changes
    return {index: _variation(np.concatenate(pcm)) if pcm else 0.0 for index, pcm in levels.items()}


def _excerpts(tracks: tuple[av.AudioStream, ...], container: InputContainer) -> "Iterator[av.Packet[av.AudioStream]]":
    start = container.start_time or 0
    duration = container.duration or 0
    for number in range(EXCERPTS if duration > EXCERPTS * EXCERPT * av.time_base else 1):
        if number:
            try:
                container.seek(start + duration * number // EXCERPTS)
            except av.FFmpegError:
                return
        yield from _excerpt(tracks, container)


def _excerpt(tracks: tuple[av.AudioStream, ...], container: InputContainer) -> "Iterator[av.Packet[av.AudioStream]]":
    """The packets from the current position on, until each track has an excerpt, or one has none here."""
    seconds = {track.index: 0.0 for track in tracks}
    for packet in container.demux(tracks):
        yield packet
        if packet.duration and packet.time_base:
            seconds[packet.stream_index] += float(packet.duration * packet.time_base)
        if min(seconds.values()) >= EXCERPT or max(seconds.values()) >= 2 * EXCERPT:
            return


def _variation(pcm: np.ndarray) -> float:
    """`pcm`: int16[n] at 24 kHz."""
    blocks = pcm[: len(pcm) // BLOCK * BLOCK].reshape(-1, BLOCK).astype(np.float32)
    if not len(blocks):
        return 0.0
    decibels = 10 * np.log10(np.square(blocks / 32768).mean(axis=1) + 1e-12)
    return float(np.maximum(decibels, QUIETEST_DB).std())
