"""Errors of Moonshine in numbers that are read out with pauses: `python -m benchmarks.digits`.

Piper reads 30 numbers of 4 to 16 digits in groups, with the same pause between all groups of a number. Prints for each
pause the share of digits that are wrong, missing or invented, and the segments per number: live, and as a file. Then
the word error rate for the speech of tests/support/speech/audio.py.
"""

import argparse
import random
import re
import tempfile
from pathlib import Path

import jiwer
import numpy as np

from inference.engine import TtsEngine
from inference.engines import registry
from inference.engines.stt.moonshine import Moonshine
from inference.messages import FRAME_SAMPLES, SAMPLE_RATE, Audio, Endpoint, Event, Open, Word
from tests.support.speech.audio import recorded_speech
from tests.support.speech.words import word_error_rate

DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
WRITTEN = {**{word: str(digit) for digit, word in enumerate(DIGITS)}, "oh": "0", "to": "2", "for": "4"}
SHAPES = [(3, 4), (3, 3, 4), (1,) * 7, (2,) * 5, (4,) * 4, (1,) * 4]
"""Digits of each group."""
PAUSES = (0.2, 0.4, 0.6, 0.8, 1.0, 1.2)  # seconds
NUMBERS = 30
NOISE = 20
"""Standard deviation of a room's noise, in units of 16 bit samples."""


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    tts_engine, clock = registry.load("piper", 1), Clock()
    stt_engine = Moonshine(1, clock)
    rng = random.Random(1)
    numbers = [
        ["".join(rng.choices("0123456789", k=size)) for size in SHAPES[number % len(SHAPES)]]
        for number in range(NUMBERS)
    ]
    speech = {group: speak(tts_engine, group) for number in numbers for group in number}
    print("pause   live: wrong digits   segments   file: wrong digits   segments")
    for pause in PAUSES:
        audio = [with_pauses([speech[group] for group in number], pause) for number in numbers]
        row = f"{pause:4.1f} s"
        for seconds_per_frame in (0.08, 0.0):
            transcripts = [transcribe(stt_engine, clock, part, seconds_per_frame) for part in audio]
            wrong = error_rate(numbers, transcripts)
            row += f"{wrong:20.1%}{sum(map(len, transcripts)) / NUMBERS:11.1f}  "
        print(row, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        recording = recorded_speech(Path(folder))
        samples = recording.samples(silence_after=1.0)
    for name, seconds_per_frame in ("live", 0.08), ("file", 0.0):
        text = " ".join(transcribe(stt_engine, clock, samples, seconds_per_frame))
        print(f"recorded speech, {name}: word error rate {word_error_rate(recording.text, text):.4f}")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def speak(engine: TtsEngine, digits: str) -> np.ndarray:
    """A group of digits without the silence around it: int16[n] at 24 kHz."""
    engine.open(0, Open("digits", "", 0.0, 0, "en"))
    engine.flush(0)
    events: list[Event] = []
    text = " ".join(DIGITS[int(digit)] for digit in digits)
    while more := engine.step({0: text}).get(0):
        events += more
        text = ""
    engine.close(0)
    pcm = np.frombuffer(b"".join(event.pcm for event in events if isinstance(event, Audio)), "<i2")
    audible = np.flatnonzero(np.abs(pcm) > 2 * NOISE)
    margin = SAMPLE_RATE // 20
    return pcm[max(0, audible[0] - margin) : audible[-1] + margin]


def with_pauses(groups: list[np.ndarray], pause: float) -> np.ndarray:
    def silence(seconds: float) -> np.ndarray:
        return np.zeros(round(seconds * SAMPLE_RATE), np.int16)

    parts = [part for group in groups for part in (silence(pause), group)]
    audio = np.concatenate([silence(1), *parts[1:], silence(2)])
    return audio + np.random.default_rng(1).normal(0, NOISE, len(audio)).astype(np.int16)


def transcribe(engine: Moonshine, clock: Clock, samples: np.ndarray, seconds_per_frame: float) -> list[str]:
    """The text of each segment."""
    audio = samples.astype(np.float32) / 32768
    engine.open(0, Open("s", "web", 0.0, 0, "en"))
    events: list[Event] = []
    for start in range(0, len(audio) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
        clock.now += seconds_per_frame
        events += engine.step({0: audio[start : start + FRAME_SAMPLES]})[0]
    segments: list[str] = [""]
    for event in events + engine.flush(0):
        if isinstance(event, Word):
            segments[-1] += f"{event.text} "
        elif isinstance(event, Endpoint):
            segments.append("")
    return segments[:-1]


def error_rate(numbers: list[list[str]], transcripts: list[list[str]]) -> float:
    references = [" ".join("".join(number)) for number in numbers]
    return float(jiwer.wer(references, [" ".join(digits_in(" ".join(segments))) for segments in transcripts]))


def digits_in(text: str) -> list[str]:
    """Digits as written by the engine; other words count as one wrong digit each."""
    tokens = re.findall(r"\d|[a-z]+", text.lower())
    return [token if token.isdigit() else WRITTEN.get(token, "?") for token in tokens]


if __name__ == "__main__":
    main()
