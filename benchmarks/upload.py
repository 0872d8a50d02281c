"""Upload and transcription of an hour of speech: `python -m benchmarks.upload [--speech FILE]`.

The site as `make serve` starts it, in one process with Moonshine; the recording is repeated up to the requested
duration and sent as the browser sends it. The baseline is the engine alone on the recording, in this process.
"""

import argparse
import subprocess
import tempfile
import threading
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil

from inference.engines import registry
from inference.messages import FRAME_SAMPLES, SAMPLE_RATE, Open, Word
from tests.support.clients.uploads import Sender
from tests.support.servers.site import running_site
from tests.support.speech.audio import recorded_speech

MEBIBYTE = 1 << 20
POLL_INTERVAL = 1.0


def wav_of(recording: Path, folder: Path) -> Path:
    wav = folder / "speech.wav"
    command = ["ffmpeg", "-v", "error", "-i", recording, "-ac", "1", "-ar", str(SAMPLE_RATE), "-c:a", "pcm_s16le", wav]
    subprocess.run(command, check=True)
    return wav


def repeated(recording: Path, minutes: float, folder: Path) -> Path:
    repeated_file = folder / "hour.mp3"
    loop = ["-stream_loop", "-1", "-i", recording, "-t", str(60 * minutes), "-c:a", "libmp3lame", "-b:a", "96k"]
    subprocess.run(["ffmpeg", "-v", "error", *loop, repeated_file], check=True)
    return repeated_file


def engine_alone(wav: Path) -> tuple[float, int]:
    """Real-time factor of the engine on the recording, and its number of words."""
    with wave.open(str(wav)) as file:
        pcm = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768
    engine = registry.load("moonshine", 1)
    engine.open(0, Open("", "", 0, 0, "en"))
    started, events = time.monotonic(), []
    for start in range(0, len(pcm) - FRAME_SAMPLES, FRAME_SAMPLES):
        events += engine.step({0: pcm[start : start + FRAME_SAMPLES]})[0]
    events += engine.flush(0)
    words = sum(isinstance(event, Word) for event in events)
    return (time.monotonic() - started) / (len(pcm) / SAMPLE_RATE), words


@contextmanager
def memory_of(pid: int) -> Iterator[list[float]]:
    """Memory of a process in MiB, measured every second."""
    values: list[float] = []
    stop = threading.Event()

    def measure() -> None:
        process = psutil.Process(pid)
        while not stop.wait(POLL_INTERVAL):
            values.append(process.memory_info().rss / MEBIBYTE)

    thread = threading.Thread(target=measure)
    thread.start()
    try:
        yield values
    finally:
        stop.set()
        thread.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speech", type=Path, help="a recording of English speech; default: that of the tests")
    parser.add_argument("--minutes", type=float, default=60.0, help="duration of the upload")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        speech = options.speech or recorded_speech(folder).wav(SAMPLE_RATE)
        alone, words_alone = engine_alone(wav_of(speech, folder))
        print(f"the engine alone      real-time factor {alone:.3f}, {words_alone} words")
        upload(repeated(speech, options.minutes, folder), alone, folder)


def upload(recording: Path, alone: float, folder: Path) -> None:
    data = recording.read_bytes()
    (folder / "site").mkdir()
    with running_site(folder / "site", STT_SLOTS="0") as site, memory_of(site.web.process.pid) as memory:
        sender = Sender(site, poll_interval=1.0)  # as a browser does
        time.sleep(5)
        idle, web = memory[-1], psutil.Process(site.web.process.pid)
        cpu = sum(web.cpu_times()[:2])
        started = time.monotonic()
        state = sender.send(recording.name, data)
        sent = time.monotonic()
        state = sender.wait(state, "transcribing", within=300)
        transcribing = time.monotonic()
        initial = memory[-1]
        state = sender.wait(state, "done", within=3600)
        done = time.monotonic()
        cpu = sum(web.cpu_times()[:2]) - cpu
        words = site.shell("from speech.models import Word; print(Word.objects.count())")
        factor = (done - transcribing) / state["duration"]
        print(f"sent                  {len(data) / MEBIBYTE:.1f} MiB in {sent - started:.1f} s")
        print(f"checked, got a slot   {transcribing - sent:.1f} s")
        print(f"transcribed           {state['duration'] / 60:.1f} min in {done - transcribing:.0f} s, {words} words")
        print(f"from start to end     {done - started:.0f} s")
        print(f"real-time factor      {factor:.3f}, {factor / alone:.2f} times that of the engine alone")
        print(f"web process           {cpu / (done - started):.0%} of a core")
        print(f"its memory            {idle:.0f} MiB idle, {initial:.0f} at the start, {max(memory):.0f} peak, "
              f"{memory[-1]:.0f} at the end")  # fmt: skip


if __name__ == "__main__":
    main()
