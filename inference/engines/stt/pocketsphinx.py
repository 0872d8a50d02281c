"""PocketSphinx: speech to text on any CPU, in segments found by its own WebRTC voice activity detector.

A segment begins 0.3 s before the detected voice and ends 0.3 s into the silence after it: without this padding the
words at its edges are misrecognized. Its words may change until it ends; then all of them are final at once.
"""

from collections import deque
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import soxr
from pocketsphinx import Decoder, Vad

from inference.engine import Frame
from inference.messages import FRAME_SAMPLES, SAMPLE_RATE, Endpoint, Event, Open, Partial, Step, Word

RATE = 16_000  # of the acoustic model, Hz
WINDOW = 0.02  # seconds: one decision of the detector
WINDOW_SAMPLES = int(WINDOW * RATE)


def _windows(seconds: float) -> int:
    return round(seconds / WINDOW)


PREFIX_PADDING = _windows(0.3)
ONSET, ONSET_VOICED = _windows(0.1), _windows(0.06)
"""A segment begins when `ONSET_VOICED` of the last `ONSET` windows are voiced."""
MIN_SILENCE = _windows(0.3)
"""Silence that ends a segment."""
LONG_SPEECH, SHORT_MIN_SILENCE = _windows(12), _windows(0.14)
"""Length from which shorter silence ends a segment: the longer a segment, the longer its last words take to compute and
its words remain uncertain."""
MAX_SPEECH = _windows(25)

MAX_HYPOTHESES = 3_000
"""Maximum number of active HMMs. PocketSphinx's default of 30,000 takes up to twice as long, most of all in noise, and
is hardly more accurate; 2,000 lose words even in clean speech."""


class PocketSphinx:
    slots = 1

    def __init__(self, slots: int) -> None:
        if slots != 1:
            raise ValueError(f"PocketSphinx handles one stream per process, not {slots}; start more processes")
        self._decoder = Decoder(samprate=float(RATE), maxhmmpf=MAX_HYPOTHESES, loglevel="FATAL")
        self._initial_cepstral_mean = self._decoder.get_cmn()

    def open(self, slot: int, request: Open) -> None:
        # The decoder adapts to a voice and its noise; the next stream must not inherit that.
        self._decoder.reinit_feat()
        self._decoder.set_cmn(self._initial_cepstral_mean)
        self._stream = StreamDecoder(self._decoder, request.position)

    def step(self, inputs: Mapping[int, Frame]) -> dict[int, list[Event]]:
        return {slot: self._stream.process(frame) for slot, frame in inputs.items()}

    def flush(self, slot: int) -> list[Event]:
        return self._stream.finish()

    def close(self, slot: int) -> None:
        self._stream.close()


class StreamDecoder:
    """Splits the audio of one stream into segments and decodes them."""

    def __init__(self, decoder: Decoder, position: int) -> None:
        self._decoder = decoder
        self._vad = Vad(mode=3, sample_rate=RATE, frame_length=WINDOW)
        self._resampler = soxr.ResampleStream(SAMPLE_RATE, RATE, 1, dtype="float32", quality="MQ")
        self._position = position  # of the first sample
        self._processed = position
        self._unprocessed: npt.NDArray[np.int16] = np.zeros(0, np.int16)  # resampled audio, less than a window
        self._windows = 0  # processed so far
        self._padding: deque[bytes] = deque(maxlen=PREFIX_PADDING)
        self._voiced: deque[bool] = deque(maxlen=ONSET)
        self._segment_start: int | None = None  # first window of the current segment
        self._silence = 0  # windows since the last voiced one
        self._final_until = position

    def process(self, frame: Frame) -> list[Event]:
        self._processed += FRAME_SAMPLES
        events: list[Event] = []
        for window in self._split_windows(self._resampler.resample_chunk(frame)):
            events += self._process_window(window)
        if self._segment_start is not None:
            events.append(self._partial(self._segment_start))
        return [*events, Step(self._processed, self._final_until_sample(), self._speech())]

    def finish(self) -> list[Event]:
        rest = self._split_windows(self._resampler.resample_chunk(np.zeros(0, np.float32), last=True))
        self._resampler.clear()
        events = [event for window in rest for event in self._process_window(window)]
        if self._segment_start is not None:
            self._decoder.process_raw(bytes(2 * WINDOW_SAMPLES * PREFIX_PADDING))
            events += self._end(self._segment_start)
        return events

    def close(self) -> None:
        if self._segment_start is not None:
            self._decoder.end_utt()
            self._segment_start = None

    def _split_windows(self, audio: np.ndarray) -> list[bytes]:
        """Split the resampled audio into whole windows of s16le."""
        pcm = np.concatenate((self._unprocessed, (np.clip(audio, -1, 1) * 32767).astype(np.int16)))
        whole = len(pcm) // WINDOW_SAMPLES * WINDOW_SAMPLES
        self._unprocessed = pcm[whole:]
        return [pcm[i : i + WINDOW_SAMPLES].tobytes() for i in range(0, whole, WINDOW_SAMPLES)]

    def _process_window(self, window: bytes) -> list[Event]:
        voiced = self._vad.is_speech(window)
        self._voiced.append(voiced)
        self._silence = 0 if voiced else self._silence + 1
        self._windows += 1
        if self._segment_start is not None:
            self._decoder.process_raw(window)
            return self._end(self._segment_start) if self._has_ended(self._segment_start) else []
        self._padding.append(window)
        if sum(self._voiced) >= ONSET_VOICED:
            self._start()
        return []

    def _start(self) -> None:
        self._segment_start = self._windows - len(self._padding)
        self._decoder.start_utt()
        for window in self._padding:
            self._decoder.process_raw(window)
        self._padding.clear()

    def _has_ended(self, start: int) -> bool:
        length = self._windows - start
        min_silence = SHORT_MIN_SILENCE if length > LONG_SPEECH else MIN_SILENCE
        return self._silence >= min_silence or length > MAX_SPEECH

    def _end(self, start: int) -> list[Event]:
        self._decoder.end_utt()
        words = self._words(self._seconds(start))
        self._segment_start = None
        self._voiced.clear()
        if not words:
            return [Partial("", 0.0, 0.0)]  # a noise, not speech
        return [*words, Endpoint(words[0].start, words[-1].end)]

    def _words(self, segment_start: float) -> list[Word]:
        end = self._processed / SAMPLE_RATE
        return [
            Word(
                text=segment.word.partition("(")[0],  # "the(2)" is another pronunciation of "the"
                start=round(min(segment_start + segment.start_frame / 100, end), 3),
                end=round(min(segment_start + (segment.end_frame + 1) / 100, end), 3),
                confidence=round(min(segment.prob, 1.0), 3),
            )
            for segment in self._decoder.seg()
            if segment.word[0] not in "<[+"  # silence, noise, fillers
        ]

    def _partial(self, start: int) -> Partial:
        hypothesis = self._decoder.hyp()
        text = hypothesis.hypstr if hypothesis else ""
        return Partial(text, round(self._seconds(start), 3), round(self._seconds(self._windows), 3))

    def _seconds(self, windows: int) -> float:
        return self._position / SAMPLE_RATE + windows * WINDOW

    def _final_until_sample(self) -> int:
        """The sample from which recognition can restart without missing or repeating a word."""
        start = self._windows - len(self._padding) if self._segment_start is None else self._segment_start
        self._final_until = max(self._final_until, self._position + round(start * WINDOW * SAMPLE_RATE))
        return self._final_until

    def _speech(self) -> float:
        return sum(self._voiced) / len(self._voiced) if self._voiced else 0.0
