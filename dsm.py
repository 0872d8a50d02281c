#!/usr/bin/env -S uv run --script
# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "msgpack>=1", "numpy>=1.26", "sounddevice>=0.4.6", "soundfile>=0.12", "soxr>=0.5", "tqdm>=4.60", "websockets>=13",
# ]
# ///
"""Speech on the command line: transcribe files or the microphone, speak text, export sessions.

    uv run dsm.py file talk.mp3                  print words as they arrive
    uv run dsm.py file talk.mp3 --format srt     or vtt, words, json
    uv run dsm.py mic --language de --vad        marks pauses with |
    uv run dsm.py upload talks/ --format srt     upload a folder of recordings, write a transcript next to each
    uv run dsm.py say "Good morning." -o out.mp3 or wav, flac, ogg, opus
    uv run dsm.py voices | sessions | export ID --format srt

A single file: clients don't need the rest of this repository. `file`, `mic` and `say` also work with Kyutai's
moshi-server; the other commands only with this site.

Set the server with --url or DSM_URL and the token with --token or DSM_TOKEN. Operators of a server can set JWT_SECRET
and DSM_USER (an email address) instead, to sign a token that is valid for five minutes.
"""

import argparse
import asyncio
import base64
import hashlib
import hmac
import html
import json
import os
import platform
import re
import secrets
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from mimetypes import guess_type
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import msgpack
import numpy as np
import soundfile
import soxr
import websockets
from tqdm import tqdm

RATE = 24_000  # Hz
FRAME = 1_920  # samples, 80 ms
PART_BYTES = 2 << 20  # of an upload, per request
PAUSE_HEAD, PAUSE_THRESHOLD = 2, 0.5  # the head for pauses of two seconds, as in Kyutai's own client
MARKER = 1
SPEECH_FORMATS = {
    "": ("WAV", "PCM_16"),
    ".wav": ("WAV", "PCM_16"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
    ".flac": ("FLAC", "PCM_16"),
    ".ogg": ("OGG", "VORBIS"),
    ".opus": ("OGG", "OPUS"),
}
"""Formats of `say`, as soundfile names them, by the suffix of the file."""
UNSPACED = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u2e80-\u3130\u31a0-\u9fff\uf900-\ufaff\uff00-\uff9f\U00020000-\U000323af]"
)
"""Characters without spaces between words: Chinese, Japanese, Thai, Lao, Tibetan, Burmese and Khmer."""
FLUSH_SILENCE = 4.0
"""Seconds of silence sent after the marker, so that a model with a delay emits the last words."""


class Problem(Exception):
    """An error message of one line."""


def main() -> int:
    try:
        asyncio.run(run(arguments()))
    except Problem as problem:
        print(f"dsm: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dsm", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--url", default=os.environ.get("DSM_URL", "http://127.0.0.1:8000"))
    parser.add_argument("--token", default=os.environ.get("DSM_TOKEN", ""))
    commands = parser.add_subparsers(dest="command", required=True)
    file = commands.add_parser("file", help="transcribe a file: WAV, MP3, FLAC, Ogg")
    file.add_argument("path")
    file.add_argument("--rtf", type=float, default=0.0, help="speed relative to real time; 0: as fast as possible")
    mic = commands.add_parser("mic", help="transcribe the microphone, until Ctrl-C")
    for command in (file, mic):
        command.add_argument("--format", choices=("text", "words", "json", "srt", "vtt"), default="text")
        command.add_argument("--vad", action="store_true", help="mark pauses with |")
        command.add_argument("--keep", action="store_true", help="save as a session")
    say = commands.add_parser("say", help="speak text (- reads standard input)")
    say.add_argument("text")
    say.add_argument("--voice", default="")
    say.add_argument("-o", "--out", help="file to write: .wav, .mp3, .flac, .ogg or .opus (default: play it)")
    upload = commands.add_parser("upload", help="upload recordings of any format as sessions")
    upload.add_argument("paths", nargs="+", metavar="FILE", help="file or folder")
    for command in (file, mic, upload):
        command.add_argument("--engine", default="", help="engine that transcribes (default: the server's)")
        command.add_argument("--language", default="", help="language code, for example en or de")
    upload.add_argument("--audio", action="store_true", help="save the audio")
    upload.add_argument("--multichannel", action="store_true", help="one speaker per stereo channel")
    upload.add_argument("--format", help="also write each transcript next to its file: txt, srt, vtt, json, md, …")
    commands.add_parser("voices", help="list voices")
    commands.add_parser("sessions", help="list sessions, newest first")
    export = commands.add_parser("export", help="download a session's transcript")
    export.add_argument("session")
    export.add_argument("--format", default="txt", help="txt, srt, vtt, json, md, …")
    return parser.parse_args()


async def run(args: argparse.Namespace) -> None:
    args.url = args.url.rstrip("/").replace("ws://", "http://").replace("wss://", "https://")
    args.token = args.token or signed_token(args.url)
    match args.command:
        case "file":
            await transcribe_file(args)
        case "mic":
            await transcribe_microphone(args)
        case "say":
            await say(args)
        case "upload":
            upload_files(args)
        case "voices":
            for voice in get(args, "/v1/audio/voices")["data"]:
                print(f"{voice['id']:32} {voice['language']:8} {voice['name']}")
        case "sessions":
            for session in get(args, "/api/v1/sessions/")["results"]:
                print(f"{session['id']}  {session.get('started_at') or '':.16}  {session['title']}")
        case "export":
            sys.stdout.buffer.write(transcript_of(args, args.session))


# --- Speech to text -------------------------------------------------------------------------------------------------


async def transcribe_file(args: argparse.Namespace) -> None:
    samples = read(args.path)
    is_live = args.format == "text"
    transcript = Transcript(is_live=is_live, vad=args.vad and is_live)
    async with socket(args, "/api/asr-streaming", max_queue=None, **stream_options(args)) as ws:
        sending = asyncio.create_task(send_file(ws, samples, args.rtf))
        try:
            with tqdm(total=round(len(samples) / RATE), unit="s", disable=is_live or not sys.stderr.isatty()) as bar:
                async for message in messages(ws):
                    if message["type"] == "Marker" and message["id"] == MARKER:
                        break
                    transcript.add(message)
                    if message["type"] == "Step":
                        bar.update(min(transcript.seconds, bar.total) - bar.n)
        finally:
            sending.cancel()
    transcript.print(args.format)


def stream_options(args: argparse.Namespace) -> dict[str, str | None]:
    """Parameters of the query, which Kyutai's own server ignores."""
    return {"engine": args.engine or None, "language": args.language or None, "keep": "true" if args.keep else None}


def read(path: str) -> np.ndarray:
    """float32[n], mono, 24 kHz."""
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        why = "file not found" if not os.path.exists(path) else str(error).rstrip(".")
        raise Problem(f"Can't read {path}: {why}. Use a WAV, MP3, FLAC or Ogg file.") from None
    return soxr.resample(samples.mean(axis=1), rate, RATE)


async def send_file(ws: websockets.ClientConnection, samples: np.ndarray, rtf: float) -> None:
    started = time.monotonic()
    with suppress(websockets.ConnectionClosed):  # the receiving task gets the reason
        for start in range(0, len(samples), FRAME):
            await send_audio(ws, samples[start : start + FRAME])
            if rtf:
                await asyncio.sleep(started + start / RATE / rtf - time.monotonic())
        await send_audio(ws, np.zeros(-len(samples) % FRAME, np.float32))
        await send_end(ws)


async def send_end(ws: websockets.ClientConnection) -> None:
    await ws.send(msgpack.packb({"type": "Marker", "id": MARKER}))
    for _ in range(int(FLUSH_SILENCE * RATE / FRAME)):
        await send_audio(ws, np.zeros(FRAME, np.float32))


async def send_audio(ws: websockets.ClientConnection, samples: np.ndarray) -> None:
    await ws.send(msgpack.packb({"type": "Audio", "pcm": samples.tolist()}, use_single_float=True))


async def transcribe_microphone(args: argparse.Namespace) -> None:
    sounddevice = import_sounddevice()
    blocks: asyncio.Queue[np.ndarray | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def on_audio(block: np.ndarray, *_: object) -> None:
        loop.call_soon_threadsafe(blocks.put_nowait, block[:, 0].copy())

    is_live = args.format == "text"
    transcript = Transcript(is_live=is_live, vad=args.vad and is_live)
    with audio_device("microphone"):
        stream = sounddevice.InputStream(RATE, FRAME, channels=1, dtype="float32", callback=on_audio)
    async with socket(args, "/api/asr-streaming", **stream_options(args)) as ws:

        async def send() -> None:
            with suppress(websockets.ConnectionClosed):  # the receiving loop gets the reason
                while (block := await blocks.get()) is not None:
                    await send_audio(ws, block)
                await send_end(ws)

        def stop() -> None:
            """The first Ctrl-C ends the recording, and the last words still arrive. The second one exits."""
            blocks.put_nowait(None)
            loop.remove_signal_handler(signal.SIGINT)

        with suppress(NotImplementedError):  # Windows
            loop.add_signal_handler(signal.SIGINT, stop)
        with audio_device("microphone"), stream:
            sending = asyncio.create_task(send())
            try:
                async for message in messages(ws):
                    if message["type"] == "Marker" and message["id"] == MARKER:
                        break
                    transcript.add(message)
            finally:
                sending.cancel()
    transcript.print(args.format)


class Transcript:
    """Words received so far. `is_live`: print them as they arrive; `vad`: and mark pauses."""

    def __init__(self, is_live: bool, vad: bool) -> None:
        self.words: list[dict[str, Any]] = []
        self.seconds = 0.0
        self._is_live, self._vad, self._is_speaking = is_live, vad, False
        self._shown = ""
        """What was printed last."""

    def add(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "Word":
                start = message["start_time"]
                self.words.append({"text": message["text"], "start": start, "end": start})
                self._is_speaking = True
                self._show(message["text"])
            case "EndWord" if self.words:
                self.words[-1]["end"] = message["stop_time"]
            case "Step":
                self.seconds += FRAME / RATE
                if self._vad and self._is_speaking and message["prs"][PAUSE_HEAD] > PAUSE_THRESHOLD:
                    self._is_speaking = False
                    self._show("|")

    def _show(self, text: str) -> None:
        if self._is_live:
            print(f"{gap(self._shown, text)}{text}", end="", flush=True)
            self._shown = text

    def print(self, format: str) -> None:
        match format:
            case "text":
                print()
            case "words":
                for word in self.words:
                    print(f"{word['start']:8.2f} {word['end']:8.2f}  {word['text']}")
            case "json":
                text = joined(self.words)
                print(json.dumps({"text": text, "words": self.words}, ensure_ascii=False, indent=1))
            case "srt":
                for number, line in enumerate(self._lines(), 1):
                    print(f"{number}\n{srt_time(line[0]['start'])} --> {srt_time(line[-1]['end'])}")
                    print(joined(line), end="\n\n")
            case "vtt":
                print("WEBVTT\n")
                for line in self._lines():
                    print(f"{srt_time(line[0]['start'], '.')} --> {srt_time(line[-1]['end'], '.')}")
                    print(html.escape(joined(line), quote=False), end="\n\n")

    def _lines(self) -> Iterator[list[dict[str, Any]]]:
        """Split the words into lines of at most 42 characters, and at pauses of 0.7 s."""
        line: list[dict[str, Any]] = []
        for word in self.words:
            length = sum(len(each["text"]) + 1 for each in line) + len(word["text"])
            if line and (length > 42 or word["start"] - line[-1]["end"] > 0.7):
                yield line
                line = []
            line.append(word)
        if line:
            yield line


def joined(words: list[dict[str, Any]]) -> str:
    texts = [word["text"] for word in words]
    return "".join(gap(before, text) + text for before, text in zip(["", *texts], texts, strict=False)).rstrip()


def gap(before: str, after: str) -> str:
    """What is between two words: a space, but not in languages without spaces."""
    if not before or before[-1].isspace() or after[:1] in "、。，！？：；）」』】":
        return ""
    return "" if UNSPACED.match(before[-1]) and UNSPACED.match(after) else " "


def srt_time(seconds: float, point: str = ",") -> str:
    total = round(seconds * 1000)
    return f"{total // 3_600_000:02}:{total // 60_000 % 60:02}:{total // 1000 % 60:02}{point}{total % 1000:03}"


# --- Uploads --------------------------------------------------------------------------------------------------------


def upload_files(args: argparse.Namespace) -> None:
    failed = 0
    for file in find_recordings(args.paths):
        try:
            session = upload(args, file)
            if args.format:
                file.with_suffix(f".{args.format}").write_bytes(transcript_of(args, session))
            print(f"{session}  {file}", flush=True)
        except (Problem, OSError) as error:
            failed += 1
            why = error.strerror if isinstance(error, OSError) else error
            print(f"dsm: {file}: {why}", file=sys.stderr)
    if failed:
        raise Problem(f"{failed} recordings couldn't be transcribed.")


def find_recordings(paths: list[str]) -> Iterator[Path]:
    for path in map(Path, paths):
        if path.is_dir():
            files = (file for file in sorted(path.rglob("*")) if file.is_file() and not file.name.startswith("."))
            yield from (file for file in files if (guess_type(file.name)[0] or "").startswith(("audio/", "video/")))
        else:
            yield path


def upload(args: argparse.Namespace, file: Path) -> str:
    """Upload a file and wait for its transcription. Returns the session's id. An incomplete upload of the same content,
    from this path and with these options, resumes."""
    options = {"engine": args.engine, "language": args.language, "audio": args.audio, "multichannel": args.multichannel}
    client = hashlib.sha256(f"{platform.node()} {file.resolve()} {options}".encode()).hexdigest()
    with file.open("rb") as recording, tqdm(total=100, unit="%", disable=not sys.stderr.isatty(), leave=False) as bar:
        sha256, size = hashlib.file_digest(recording, "sha256").hexdigest(), recording.tell()
        request = {"name": file.name, "size": size, "fingerprint": sha256, "client": client, **options}
        status = json.loads(fetch(args, "/api/v1/uploads/", "POST", json.dumps(request).encode()))
        while status["state"] not in ("done", "failed", "truncated"):
            url = f"/api/v1/uploads/{status['id']}/"
            if status["state"] == "uploading":
                bar.set_description(f"uploading {file.name}")
                recording.seek(status["received"])
                if not (part := recording.read(PART_BYTES)):
                    raise Problem("The file became shorter during the upload. Upload it again.")
                url += f"content/?offset={status['received']}&sha256={sha256}"
                status = json.loads(fetch(args, url, "PUT", part, "application/octet-stream"))
            else:
                bar.set_description(f"{status['state']} {file.name}")
                bar.update(round(100 * status["transcribed"] / status["duration"]) - bar.n if status["duration"] else 0)
                time.sleep(0.5)
                status = get(args, url)
    if status["problem"]:
        raise Problem(" ".join(status["problem"].values()))
    if status["session"] is None:
        raise Problem("No speech found.")
    return status["session"]


def transcript_of(args: argparse.Namespace, session: str) -> bytes:
    return fetch(args, f"/api/v1/sessions/{quote(session)}/transcript.{quote(args.format)}")


# --- Text to speech -------------------------------------------------------------------------------------------------


async def say(args: argparse.Namespace) -> None:
    text = sys.stdin.read() if args.text == "-" else args.text
    open_output = partial(speech_file, args.out) if args.out else speaker
    query = {"format": "PcmMessagePack", "voice": args.voice or None}
    count = 0
    with open_output() as output:
        async with socket(args, "/api/tts_streaming", **query) as ws:
            sending = asyncio.create_task(send_text(ws, text))
            with tqdm(unit="s", disable=not sys.stderr.isatty()) as bar:
                async for message in messages(ws):
                    if message["type"] == "Audio":
                        count += 1
                        await asyncio.to_thread(output.write, np.array(message["pcm"], np.float32)[:, None])
                        bar.update(FRAME / RATE)
            await asyncio.wait([sending])
        if not count:
            raise Problem("Nothing to speak: the text has no words.")


@contextmanager
def speech_file(path: str) -> Iterator[Any]:
    """A file for float32[n, 1] at 24 kHz, in the format of its suffix. It exists only once it is complete."""
    suffix = Path(path).suffix.lower()
    if suffix not in SPEECH_FORMATS:
        raise Problem(f"Can't write {path}: use {', '.join(filter(None, SPEECH_FORMATS))}.")
    format, subtype = SPEECH_FORMATS[suffix]
    part = f"{path}.part"
    try:
        with open(part, "wb") as raw, soundfile.SoundFile(raw, "w", RATE, 1, subtype, format=format) as file:
            yield file
        os.replace(part, path)
    except (soundfile.LibsndfileError, OSError) as error:
        raise Problem(f"Can't write {path}: {getattr(error, 'strerror', None) or error}.") from None
    finally:
        Path(part).unlink(missing_ok=True)


@contextmanager
def speaker() -> Iterator[Any]:
    """The default audio output, for float32[n, 1] at 24 kHz."""
    sounddevice = import_sounddevice()
    with audio_device("speaker"), sounddevice.OutputStream(RATE, FRAME, channels=1, dtype="float32") as output:
        yield output
        output.stop()  # plays what was written; leaving the stream would discard it


async def send_text(ws: websockets.ClientConnection, text: str) -> None:
    with suppress(websockets.ConnectionClosed):  # the receiving task gets the reason
        for word in text.split():
            await ws.send(msgpack.packb({"type": "Text", "text": word}))
        await ws.send(msgpack.packb({"type": "Eos"}))


# --- The server -----------------------------------------------------------------------------------------------------


@asynccontextmanager
async def socket(
    args: argparse.Namespace, path: str, max_queue: int | None = 16, **query: str | None
) -> AsyncIterator[websockets.ClientConnection]:
    """`max_queue`: messages that are received before they are read. With a limit, closing takes ten seconds if more are
    to be received; without, the messages must be small."""
    parameters = urlencode({name: value for name, value in query.items() if value is not None})
    url = f"{args.url.replace('http', 'ws', 1)}{path}{'?' if parameters else ''}{parameters}"
    try:
        async with websockets.connect(
            url, additional_headers={"kyutai-api-key": args.token}, max_size=None, max_queue=max_queue
        ) as ws:
            yield ws
    except websockets.InvalidStatus as error:
        raise http_problem(args, error.response.status_code) from None
    except websockets.ConnectionClosed as error:
        why = error.rcvd.reason if error.rcvd else ""
        raise Problem(f"{args.url} closed the connection. {why or 'No reason given.'}") from None
    except (OSError, TimeoutError, websockets.InvalidHandshake, websockets.InvalidURI) as error:
        raise unreachable(args, error) from None


async def messages(ws: websockets.ClientConnection) -> AsyncIterator[dict[str, Any]]:
    async for data in ws:
        message = msgpack.unpackb(data)
        if message["type"] == "Error":
            raise Problem(f"Server error: {message['message']}")
        yield message


def fetch(
    args: argparse.Namespace, path: str, method: str = "GET", body: bytes | None = None, kind: str = "application/json"
) -> bytes:
    headers = {"Authorization": f"Bearer {args.token}", "Content-Type": kind}
    try:
        request = urllib.request.Request(args.url + path, body, headers, method=method)  # noqa: S310
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            return response.read()
    except urllib.error.HTTPError as error:
        raise http_problem(args, error.code, error.read()) from None
    except OSError as error:
        raise unreachable(args, error) from None


def get(args: argparse.Namespace, path: str) -> Any:
    try:
        return json.loads(fetch(args, path))
    except ValueError:
        raise Problem(f"{args.url} doesn't provide {path}. Kyutai's own server has no listings.") from None


def http_problem(args: argparse.Namespace, status: int, body: bytes = b"") -> Problem:
    if status in (401, 403) and not args.token:
        return Problem(
            f"{args.url} requires a token. Set DSM_TOKEN to one that you create under Your account > Tokens."
        )
    if status in (401, 403):
        why = reason_in(body) or "It may be wrong, expired or revoked, or lack the scope. Check DSM_TOKEN."
        return Problem(f"{args.url} rejected the token (HTTP {status}). {why}")
    if status == 404:
        return Problem(f"Not found at {args.url} (HTTP 404). Check the server and the id.")
    return Problem(reason_in(body) or f"{args.url} responded with HTTP {status}.")


def reason_in(body: bytes) -> str:
    """The text of an error response; "" if it has none."""
    with suppress(ValueError, KeyError, TypeError):
        problem = json.loads(body)
        return f"{problem['title']} {problem['detail']}"
    return ""


def unreachable(args: argparse.Namespace, error: Exception) -> Problem:
    return Problem(f"No response from {args.url} ({error or type(error).__name__}). Is the server running?")


def signed_token(url: str) -> str:
    """JSON Web Token signed with the site's JWT_SECRET, as docs/security.md describes it; "" without a secret."""
    secret, user = os.environ.get("JWT_SECRET", ""), os.environ.get("DSM_USER", "")
    if not (secret and user):
        return ""
    now = int(time.time())
    kid = hashlib.sha256(f"kid:{secret}".encode()).hexdigest()[:16]
    claims = {
        "iss": os.environ.get("SITE_URL", url),
        "aud": "api",
        "sub": user,
        "status": "approved",
        "scope": "stt tts sessions",
        "iat": now,
        "exp": now + 300,
        "jti": secrets.token_urlsafe(12),
    }
    signed = ".".join(
        _encoded(json.dumps(part).encode()) for part in ({"alg": "HS256", "kid": kid, "typ": "api+jwt"}, claims)
    )
    return f"{signed}.{_encoded(hmac.digest(secret.encode(), signed.encode(), 'sha256'))}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def import_sounddevice() -> Any:
    try:
        import sounddevice
    except ImportError:
        raise Problem("The package sounddevice isn't installed. Install it with pip, or use `uv run dsm.py`.") from None
    except OSError:
        how = "Debian, Ubuntu: apt-get install libportaudio2; macOS: brew install portaudio."
        raise Problem(f"The library PortAudio isn't installed. {how}") from None
    return sounddevice


@contextmanager
def audio_device(name: str) -> Iterator[None]:
    """Report an error of the device in one line."""
    sounddevice = import_sounddevice()
    try:
        yield
    except sounddevice.PortAudioError as error:
        raise Problem(f"Can't use the {name}: {error}. Check that one is connected and allowed.") from None


if __name__ == "__main__":
    sys.exit(main())
