"""An hour of audio at full speed through every API: `python -m benchmarks.hour [--minutes N] [--only TEXT]`.

The site in one process, with the checksum engine, so that every word is checked; the clients are those that users have.
For each the table shows its words, the seconds until it had sent everything and until it had all words, how far the
audio that it had sent was ahead of the words at most, and the memory and temporary files of the site above those
before. A file is transcribed in several parts at once; the words at their seams are others, so only their number is
checked.
"""

import argparse
import asyncio
import base64
import io
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import msgpack
import numpy as np
import openai
import psutil
import websockets
from deepgram import DeepgramClient, DeepgramClientEnvironment

from benchmarks.support.client import Client
from inference.messages import FRAME_BYTES, SAMPLE_RATE
from tests.support.clients.tokens import issue_token
from tests.support.environment import ROOT
from tests.support.servers.site import Site, running_site
from tests.support.speech.checksum_audio import noise, words_of

MEBIBYTE = 1 << 20
FRAMES_PER_MINUTE = 750
MESSAGE = 2 * FRAME_BYTES
TIMEOUT = 1_800.0
MAX_DIFFERENCE = 0.01
"""Share of the words of a file that its seams may add."""
TICKET = """
from datetime import timedelta
from accounts.credentials.jwt import tokens
from accounts.models import User
print(tokens.issue(User.objects.get(email='speaker@example.org'), tokens.TICKET_AUDIENCE, timedelta(hours=1)))
"""


@dataclass
class Run:
    """One client's hour."""

    site: Site
    token: str
    wav: Path
    pcm: bytes
    words: list[str] = field(default_factory=list)
    sent: float = 0.0  # seconds of audio
    sent_at: float = 0.0
    ahead: float = 0.0

    def messages(self, size: int = MESSAGE) -> Iterator[bytes]:
        for start in range(0, len(self.pcm), size):
            yield self.pcm[start : start + size]
            self.sent = (start + size) / 2 / SAMPLE_RATE
        self.sent_at = time.monotonic()

    def add(self, word: str, end: float) -> None:
        self.words.append(word)
        if self.sent:
            self.ahead = max(self.ahead, self.sent - end)

    def url(self, path: str) -> str:
        return self.site.url.replace("http", "ws", 1) + path

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def program(self, *command: object) -> str:
        env = {**os.environ, "DSM_TOKEN": self.token, "DSM_URL": self.site.url}
        done = subprocess.run(
            [sys.executable, *map(str, command)], env=env, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT
        )
        if done.returncode:
            raise RuntimeError(done.stderr[-300:])
        return done.stdout


# --- Clients that transcribe a stream -----------------------------------------------------------------------------


async def browser_page(run: Run) -> None:
    tickets = iter([run.site.shell(TICKET)])
    client = Client(lambda: run.url(f"/ws/live/?ticket={next(tickets)}"), run.site.url, run.pcm, speed=1e9)
    await client.run()
    run.words = [text for _, text in sorted(client.observed.words.items())]


def plain_example(run: Run) -> None:
    run.words = [line.split()[2] for line in run.program("docs/examples/transcribe.py", run.wav).splitlines()]


async def plain_reading_at_the_end(run: Run) -> None:
    async with websockets.connect(run.url("/ws/pcm"), additional_headers=run.headers) as socket:
        for message in run.messages():
            await socket.send(message)
        await socket.send('{"type": "stop"}')
        async for text in socket:
            if (event := json.loads(text))["type"] == "word":
                run.add(event["text"], event["end"])


def kyutai_command(run: Run) -> None:
    words = json.loads(run.program("dsm.py", "file", run.wav, "--format", "json"))["words"]
    run.words = [word["text"] for word in words]


async def kyutai_marker_per_frame(run: Run) -> None:
    async def send() -> None:
        for number, frame in enumerate(run.messages(FRAME_BYTES)):
            pcm = (np.frombuffer(frame, "<i2") / 32768).tolist()
            await socket.send(msgpack.packb({"type": "Audio", "pcm": pcm}, use_single_float=True))
            await socket.send(msgpack.packb({"type": "Marker", "id": number}))

    last = len(run.pcm) // FRAME_BYTES - 1
    headers = {"kyutai-api-key": run.token}
    async with websockets.connect(run.url("/api/asr-streaming"), additional_headers=headers) as socket:
        sending = asyncio.create_task(send())
        async for data in socket:
            match msgpack.unpackb(data):
                case {"type": "Word", "text": text, "start_time": start}:
                    run.add(text, start)
                case {"type": "Marker", "id": id} if id == last:
                    break
        await sending


async def openai_realtime(run: Run) -> None:
    async def send() -> None:
        for message in run.messages():
            await connection.input_audio_buffer.append(audio=base64.b64encode(message).decode())
        await connection.input_audio_buffer.commit()

    realtime = openai.AsyncOpenAI(base_url=f"{run.site.url}/v1", api_key=run.token).realtime
    count = len(run.pcm) // FRAME_BYTES // 5
    async with realtime.connect(
        extra_query={"intent": "transcription"}, websocket_connection_options={"max_queue": None}
    ) as connection:
        sending = asyncio.create_task(send())
        async for event in connection:
            if event.type.endswith(".delta"):
                run.add(event.delta.strip(), 0.4 * len(run.words))
                if len(run.words) == count:
                    break
        await sending


def deepgram(run: Run) -> DeepgramClient:
    socket, url = run.url(""), run.site.url
    environment = DeepgramClientEnvironment(base=url, production=socket, agent=socket, agent_rest=url)
    return DeepgramClient(api_key=run.token, environment=environment, timeout=TIMEOUT)


def deepgram_live(run: Run) -> None:
    """The SDK sends with one thread, and reads with another."""

    def send() -> None:
        for message in run.messages():
            socket.send_media(message)
        socket.send_close_stream()

    with deepgram(run).listen.v1.connect(model="nova-3", encoding="linear16", sample_rate=SAMPLE_RATE) as socket:
        threading.Thread(target=send, daemon=True).start()
        for message in socket:
            if message.type == "Results" and message.is_final:
                for word in message.channel.alternatives[0].words:
                    run.add(word.punctuated_word or word.word, word.end)


# --- Clients that send a file -------------------------------------------------------------------------------------


def deepgram_file(run: Run) -> None:
    response = deepgram(run).listen.v1.media.transcribe_file(request=run.wav.read_bytes(), model="nova-3")
    run.words = [word.punctuated_word or word.word for word in response.results.channels[0].alternatives[0].words]


def openai_file(run: Run) -> None:
    client = openai.OpenAI(base_url=f"{run.site.url}/v1", api_key=run.token, max_retries=0, timeout=TIMEOUT)
    with run.wav.open("rb") as file:
        run.words = client.audio.transcriptions.create(file=file, model="whisper-1").text.split()


def upload_command(run: Run) -> None:
    run.program("dsm.py", "upload", run.wav, "--format", "json")
    segments = json.loads(run.wav.with_suffix(".json").read_text())["segments"]
    run.words = [word["text"] for segment in segments for word in segment["words"]]


def kyutai_file(run: Run) -> None:
    """As much as this route accepts."""
    pcm = run.pcm[: 30 * MEBIBYTE // FRAME_BYTES // 5 * 5 * FRAME_BYTES]
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        wav.writeframes(pcm)
    headers = {"kyutai-api-key": run.token}
    response = httpx.post(
        f"{run.site.url}/api/asr-streaming", content=file.getvalue(), headers=headers, timeout=TIMEOUT
    )
    run.words = [message["text"] for message in response.raise_for_status().json() if message["type"] == "Word"]
    run.pcm = pcm


CLIENTS: dict[str, Callable] = {
    "the page's WebSocket": browser_page,
    "/ws/pcm: docs/examples/transcribe.py": plain_example,
    "/ws/pcm: reads only after it has sent": plain_reading_at_the_end,
    "Kyutai: dsm.py file": kyutai_command,
    "Kyutai: a Marker per frame": kyutai_marker_per_frame,
    "Kyutai: POST (11 min)": kyutai_file,
    "OpenAI SDK: Realtime": openai_realtime,
    "OpenAI SDK: file": openai_file,
    "Deepgram SDK: live": deepgram_live,
    "Deepgram SDK: file": deepgram_file,
    "upload: dsm.py upload": upload_command,
}
FILES = (deepgram_file, openai_file, upload_command)


# --- The site -----------------------------------------------------------------------------------------------------


@contextmanager
def measured(pid: int) -> Iterator[dict[str, float]]:
    """The largest memory of a process, and the disk space of its deleted files, in MiB above those at the beginning."""
    process, stop = psutil.Process(pid), threading.Event()
    initial, peak = process.memory_info().rss, {"memory": 0.0, "files": 0.0}

    def measure() -> None:
        while not stop.wait(0.2):
            peak["memory"] = max(peak["memory"], (process.memory_info().rss - initial) / MEBIBYTE)
            peak["files"] = max(peak["files"], _deleted_files(pid) / MEBIBYTE)

    thread = threading.Thread(target=measure)
    thread.start()
    try:
        yield peak
    finally:
        stop.set()
        thread.join()


def _deleted_files(pid: int) -> int:
    size = 0
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            status = descriptor.stat()
        except OSError:
            continue  # closed meanwhile
        size += 512 * status.st_blocks if status.st_nlink == 0 else 0
    return size


def report(name: str, client: Callable, run: Run) -> bool:
    """Run a client and print its line. Returns whether it got every word."""
    started, problem = time.monotonic(), ""
    with measured(run.site.web.process.pid) as peak:
        try:
            result = client(run)
            if result is not None:
                asyncio.run(result)
        except Exception as error:
            problem = f"  {type(error).__name__}: {error}"
    seconds = time.monotonic() - started
    expected = words_of(run.pcm)
    difference = abs(len(run.words) - len(expected)) / len(expected)
    is_right = difference < MAX_DIFFERENCE if client in FILES else run.words == expected
    sent = f"{run.sent_at - started:5.0f}" if run.sent_at else "    –"
    ahead = f"{run.ahead / 60:5.1f}" if run.ahead else "    –"
    print(
        f"{name:38} {len(run.words):6} {'right' if is_right else 'WRONG'} {sent} {seconds:6.0f} {ahead} "
        f"{peak['memory']:8.0f} {peak['files']:6.0f}{problem}",
        flush=True,
    )
    return is_right


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--only", default="", help="run only the clients with this text in their names")
    options = parser.parse_args()
    pcm = noise(FRAMES_PER_MINUTE * options.minutes)
    with tempfile.TemporaryDirectory() as name:
        folder, wav = Path(name), Path(name) / "hour.wav"
        with wave.open(str(wav), "wb") as file:
            file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
            file.writeframes(pcm)
        with running_site(folder, STT_ENGINE="checksum") as site:
            token = issue_token(site)
            print(f"{f'{options.minutes} minutes':38} {'words':>12}  sent   done ahead   memory  files")
            print(f"{'':38} {'':12} {'s':>5} {'s':>6} {'min':>5} {'MiB':>8} {'MiB':>6}")
            chosen = {name: client for name, client in CLIENTS.items() if options.only in name}
            results = [report(name, client, Run(site, token, wav, pcm)) for name, client in chosen.items()]
    sys.exit(0 if all(results) else "Words are missing or wrong.")


if __name__ == "__main__":
    main()
