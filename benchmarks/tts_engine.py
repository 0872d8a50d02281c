"""Latency and speed of TTS engines by number of concurrent streams: `python -m benchmarks.tts_engine`.

Engines run in this process, without the server. All streams open one after the other and repeatedly speak a text of ten
seconds, or a short sentence with a slow engine; none waits for playback. First audio is measured from a stream's
opening with its text to its first frame; the real-time factor of a stream is the time from its opening to its last
frame, divided by the duration of its audio: below 1 for every stream is real time.

`--engine` names one or several of: piper, espeak, small (Kyutai's architecture in the size of the tests, in one batch,
and the moshi package's own loop, one stream after the other, in the same run), full (tts-1.6b-en_fr with random
weights, as fast as trained ones; on a CUDA GPU if there is one, otherwise one stream on the CPU) and pocket (Pocket TTS
in the size of the English model, with random weights).
"""

import argparse
import gc
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from inference.engine import TtsEngine
from inference.engines import registry
from inference.messages import FRAME_BYTES, FRAME_SAMPLES, SAMPLE_RATE, Audio, Open

os.environ.setdefault("NO_TORCH_COMPILE", "1")

TEXT = (
    "The north wind and the sun were disputing which was the stronger, when a traveller came along wrapped in a warm "
    "cloak. They agreed that the one who first made him take it off should be considered stronger than the other."
)
SHORT_TEXT = "One short sentence, since it takes its time."
FRAME_SECONDS = FRAME_SAMPLES / SAMPLE_RATE
HEADER = "engine               streams  spoken  first audio p50  p99 ms   RTF p50    max  step p50  p99 ms  audio s/s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", nargs="*", default=["piper", "espeak"], choices=list(TABLES))
    parser.add_argument(
        "--streams", type=int, nargs="*", help="numbers of concurrent streams; default: depends on the engine"
    )
    parser.add_argument("--n-q", type=int, default=8, help="codebooks of Kyutai's models: 4, 8, 16, 24 or 32")
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores ({platform.machine()})\n{HEADER}", flush=True)
    for name in options.engine:
        TABLES[name](name, options)


# --- Streams ----------------------------------------------------------------------------------------------------------


@dataclass
class StreamTimes:
    opened: float = field(default_factory=time.perf_counter)
    first: float = 0.0
    last: float = 0.0
    frames: int = 0

    def record(self, frames: int) -> None:
        self.last = time.perf_counter()
        self.first = self.first or self.last
        self.frames += frames

    @property
    def rtf(self) -> float:
        return (self.last - self.opened) / (self.frames * FRAME_SECONDS)


@dataclass
class Run:
    streams: list[StreamTimes] = field(default_factory=list)
    steps: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def throughput(self) -> float:
        """Seconds of audio per second."""
        return sum(each.frames for each in self.streams) * FRAME_SECONDS / self.seconds

    def row(self, name: str, concurrency: int) -> str:
        first = [1000 * (each.first - each.opened) for each in self.streams]
        rtf = [each.rtf for each in self.streams]
        steps = [1000 * step for step in self.steps] or [float("nan")]
        return (
            f"{name:20} {concurrency:7} {len(self.streams):7} {_quantile(first, 50):16.1f} {_quantile(first, 99):7.1f} "
            f"{_quantile(rtf, 50):9.3f} {max(rtf):6.3f} {_quantile(steps, 50):9.1f} {_quantile(steps, 99):7.1f} "
            f"{self.throughput:10.1f}"
        )


def drive(engine: TtsEngine, streams: int, each: int, text: str = TEXT) -> Run:
    """Speak the text `each` times in every slot, each time as a new stream; slots start one after the other."""
    run, active, left = Run(), {}, dict.fromkeys(range(streams), each)
    started, waits = time.perf_counter(), {slot: slot for slot in range(streams)}
    while left:
        inputs = dict.fromkeys(active, "")
        for slot in [slot for slot in left if slot not in active]:
            waits[slot] -= 1
            if waits[slot] < 0:
                active[slot], inputs[slot] = StreamTimes(), text
                engine.open(slot, Open(f"{slot}", "", 0.0, 0, "en"))
        step = time.perf_counter()
        output = engine.step(inputs)
        run.steps.append(time.perf_counter() - step)
        for slot, times in list(active.items()):
            if audio := sum(len(event.pcm) for event in output.get(slot, []) if isinstance(event, Audio)):
                times.record(audio // FRAME_BYTES)
            if inputs[slot]:
                engine.flush(slot)
            elif slot not in output:
                engine.close(slot)
                run.streams.append(active.pop(slot))
                left[slot] -= 1
                if not left[slot]:
                    del left[slot]
    run.seconds = time.perf_counter() - started
    return run


def _quantile(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1] if len(values) > 1 else values[0]


def _measure(name: str, make: Callable[[int], TtsEngine], counts: list[int], each: int, text: str = TEXT) -> list[Run]:
    runs = []
    for streams in counts:
        engine = make(streams)
        drive(engine, 1, 1, "Warm up, please.")
        runs.append(drive(engine, streams, each, text))
        print(runs[-1].row(name, streams), flush=True)
        del engine
        gc.collect()  # memory may not suffice for two
    return runs


# --- The tables -------------------------------------------------------------------------------------------------------


def _embedded(name: str, options: argparse.Namespace) -> None:
    _measure(name, lambda slots: registry.load(name, slots), options.streams or [1, 4, 16, 64], each=5)


def _small(name: str, options: argparse.Namespace) -> None:
    import torch

    from benchmarks.support.random_tts import engine_of, small

    torch.set_num_threads(1)  # the model is so small that threads would wait for each other
    with tempfile.TemporaryDirectory() as folder:
        model, voices = partial(small, Path(folder), options.n_q), Path(folder, "voices")
        alone = _package_loop(model(), voices)
        counts = options.streams or [1, 4, 16]
        runs = _measure(
            f"{name}, n_q {options.n_q}", lambda slots: engine_of(model(), voices, slots), counts, 2, SHORT_TEXT
        )
    ratio = runs[-1].throughput / alone.throughput
    print(f"{counts[-1]} streams in one batch: {ratio:.1f} times the throughput of the package's loop", flush=True)


def _package_loop(model: Any, voices: Path) -> Run:
    """Speak a text repeatedly with the package's own loop, which returns the audio when it is complete."""
    voice = str(next(voices.rglob(f"*{model.voice_suffix}")))
    model.simple_generate("Warm up, please.", voice, show_progress=False)
    run, started = Run(), time.perf_counter()
    for _ in range(3):
        times = StreamTimes()
        (pcm,) = model.simple_generate(SHORT_TEXT, voice, show_progress=False)
        times.record(len(pcm) // FRAME_SAMPLES)
        run.streams.append(times)
    run.seconds = time.perf_counter() - started
    print(run.row(f"moshi's loop, n_q {model.n_q}", 1), flush=True)
    return run


def _full(name: str, options: argparse.Namespace) -> None:
    import torch

    from benchmarks.support.random_tts import engine_of, full

    has_cuda = torch.cuda.is_available()
    print(torch.cuda.get_device_name() if has_cuda else "no CUDA GPU: one stream on the CPU")
    device, text, counts, each = ("cuda", TEXT, [1, 16, 64, 128, 256], 3) if has_cuda else ("cpu", SHORT_TEXT, [1], 1)
    with tempfile.TemporaryDirectory() as folder:

        def make(slots: int) -> TtsEngine:
            model = full(options.n_q, device, torch.bfloat16, Path(folder))
            return engine_of(model, Path(folder), slots)

        _measure(f"{name}, n_q {options.n_q}", make, options.streams or counts, each, text)


def _pocket(name: str, options: argparse.Namespace) -> None:
    import msgspec

    from inference.engines.tts.pocket import load
    from inference.loading.presets import load as presets
    from tests.support.models.pocket import build

    with tempfile.TemporaryDirectory() as folder:
        config = build(Path(folder), sizes={})
        preset = msgspec.structs.replace(
            presets({})["pocket-tts-en"], model=str(config), voices=str(config.with_name("voices"))
        )
        _measure(name, lambda slots: load(slots, preset), options.streams or [1, 2, 4], each=2, text=SHORT_TEXT)


TABLES = {"piper": _embedded, "espeak": _embedded, "small": _small, "full": _full, "pocket": _pocket}

if __name__ == "__main__":
    main()
