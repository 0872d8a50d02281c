"""Resampling that keeps the times of a file: where its audio begins late, or has a gap, there is silence. Where its
timestamps restart, a joined recording begins, which follows the one before."""

from collections.abc import Iterator
from itertools import pairwise

import av
import av.filter
import numpy as np

RATE = 24_000
MIN_RATE, MAX_RATE = 4_000, 768_000
"""Hertz. At lower rates a small file is days of audio: 200 kB at 1 Hz are 55 hours."""
MAX_OVERLAP = 0.1
"""Seconds by which timestamps may go back: they are rounded, and jitter. `aresample` drops what overlaps by more."""
MAX_GAP = 3_600.0
"""Seconds of silence in a stream whose timestamps need not be continuous; a longer gap is another recording."""


def check_rate(rate: int) -> None:
    if not MIN_RATE <= rate <= MAX_RATE:
        raise LookupError("rate")


class Timeline:
    def __init__(self, channels: int, position: int, start: float, is_continuous: bool) -> None:
        """`channels`: 1 or 2, at least; audio of several channels remains stereo. `position`: sample at which the audio
        begins, at the timestamp `start`, in seconds. `is_continuous`: no gap is another recording."""
        self.restarts = 0
        self._min_channels = channels
        self._channels = channels
        self._position = position
        self._shift = position / RATE - start
        self._end = 0.0  # of the previous frame
        self._max_gap = float("inf") if is_continuous else MAX_GAP
        self._format: tuple[object, ...] = ()
        self._graph: av.filter.Graph | None = None

    def push(self, frame: av.AudioFrame) -> Iterator[np.ndarray]:
        """Yield int16[n, 1] or int16[n, 2], 24 kHz."""
        if frame.pts is not None and frame.time_base:
            time = float(frame.pts * frame.time_base) + self._shift
            if self._graph and not -MAX_OVERLAP < time - self._end < self._max_gap:
                yield from self.flush()
                self.restarts += 1
                self._shift += self._position / RATE - time
                time = self._position / RATE
            frame.pts += round(self._shift / frame.time_base)
            self._end = time
        self._end += frame.samples / frame.sample_rate
        format = frame.sample_rate, frame.format.name, frame.layout.name, frame.time_base
        if format != self._format or not self._graph:  # the format can change within a stream
            check_rate(frame.sample_rate)
            yield from self.flush()
            self._format, self._graph = format, self._graph_for(frame)
        yield from self._push(frame)

    def flush(self) -> Iterator[np.ndarray]:
        yield from self._push(None)
        self._graph = None

    def _graph_for(self, frame: av.AudioFrame) -> av.filter.Graph:
        graph, channels = av.filter.Graph(), frame.layout.nb_channels
        source = graph.add_abuffer(
            sample_rate=frame.sample_rate, format=frame.format, layout=frame.layout, time_base=frame.time_base
        )
        first = round(self._position * frame.sample_rate / RATE)  # counted in samples of the input
        timed = graph.add("aresample", f"{RATE}:async=1:first_pts={first}")
        is_unnamed = channels > 2 and frame.layout.name == f"{channels} channels"
        self._channels = max(self._min_channels, 1 if is_unnamed else min(2, channels))
        layout = "mono" if self._channels == 1 else "stereo"
        converted = graph.add("aformat", f"sample_fmts=s16:channel_layouts={layout}:sample_rates={RATE}")
        sink = graph.add("abuffersink")
        filters = [source, timed, converted, sink]
        if is_unnamed:  # one microphone each, as a rule: the default layout would drop some of them
            mean = "+".join(f"{1 / channels:.6f}*c{number}" for number in range(channels))
            filters.insert(1, graph.add("pan", f"mono|c0={mean}"))
        for one, next_one in pairwise(filters):
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
