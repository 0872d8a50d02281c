#!/usr/bin/env -S uv run --script
# /// script
# requires-python = ">=3.11"
# dependencies = ["msgpack>=1", "numpy>=1.26", "soundfile>=0.12", "soxr>=0.5", "tqdm>=4.60", "websockets>=13"]
# ///
"""Speech from the command line: transcribe files and the microphone, have text spoken, fetch sessions.

    uv run dsm.py file talk.mp3                  words as they are heard
    uv run dsm.py file talk.mp3 --format srt     or words, json
    uv run dsm.py mic --vad                      a | where the speaker pauses
    uv run dsm.py upload talks/ --format srt     a folder of recordings: sessions, and a transcript beside each
    uv run dsm.py say "Good morning." -o out.wav
    uv run dsm.py voices | sessions | export ID --format srt

It is one file, so whoever uses a server needs this and nothing of the site. It talks to this site and to Kyutai's
moshi-server alike (`file`, `mic` and `say`; the others are this site's alone).

The server is --url or DSM_URL. The token is --token or DSM_TOKEN; who runs the server may give JWT_SECRET and DSM_USER
(an e-mail address) instead, and one is made for five minutes.
"""

import argparse
import asyncio
import base64
import hashlib
import hmac
import json
import os
import secrets
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
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
PIECE = 2 << 20  # bytes of a file that are sent at a time
PAUSE_HEAD, PAUSE_SURE = 2, 0.5  # a pause of two seconds, as Kyutai's own client shows it
MARKER = 1
FLUSH = 4.0
"""Seconds of silence after the marker, in which a model with a delay brings out the last words."""


class Problem(Exception):
    """What went wrong, in one line."""


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
    file.add_argument("--rtf", type=float, default=0.0, help="times real time; 0: as fast as it is heard")
    file.add_argument("--format", choices=("text", "words", "json", "srt"), default="text")
    mic = commands.add_parser("mic", help="transcribe the microphone, until Ctrl-C")
    for each in (file, mic):
        each.add_argument("--vad", action="store_true", help="show pauses, as |")
        each.add_argument("--keep", action="store_true", help="keep it as a session")
    say = commands.add_parser("say", help="have text spoken; - reads it from standard input")
    say.add_argument("text")
    say.add_argument("--voice", default="")
    say.add_argument("-o", "--out", help="a WAV file; without it, it is played")
    upload = commands.add_parser("upload", help="have recordings become sessions, whatever their format")
    upload.add_argument("paths", nargs="+", metavar="FILE", help="or a folder with recordings")
    upload.add_argument("--engine", default="")
    upload.add_argument("--language", default="", help="a code, as en or de")
    upload.add_argument("--audio", action="store_true", help="keep their sound")
    upload.add_argument("--sides", action="store_true", help="they are stereo, with a speaker on each side")
    upload.add_argument("--format", help="also write each transcript beside its file: txt, srt, vtt, json, md, …")
    commands.add_parser("voices", help="who can speak")
    commands.add_parser("sessions", help="what is kept, the newest first")
    export = commands.add_parser("export", help="take a session along")
    export.add_argument("session")
    export.add_argument("--format", default="txt", help="txt, srt, vtt, json, md, …")
    return parser.parse_args()


async def run(args: argparse.Namespace) -> None:
    args.url = args.url.rstrip("/").replace("ws://", "http://").replace("wss://", "https://")
    args.token = args.token or made_token(args.url)
    match args.command:
        case "file":
            await transcribe_file(args)
        case "mic":
            await transcribe_microphone(args)
        case "say":
            await say(args)
        case "upload":
            upload_all(args)
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
    shows = args.format == "text"
    transcript = Transcript(shows=shows, vad=args.vad and shows)
    async with socket(args, "/api/asr-streaming", keep="true" if args.keep else None) as ws:
        sending = asyncio.create_task(send_file(ws, samples, args.rtf))
        try:
            with tqdm(total=round(len(samples) / RATE), unit="s", disable=shows or not sys.stderr.isatty()) as bar:
                async for message in messages(ws):
                    if message["type"] == "Marker" and message["id"] == MARKER:
                        break
                    transcript.take(message)
                    if message["type"] == "Step":
                        bar.update(min(transcript.seconds, bar.total) - bar.n)
        finally:
            sending.cancel()
    transcript.print(args.format)


def read(path: str) -> np.ndarray:
    """float32[n], mono, 24 kHz."""
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        why = "there is no such file" if not os.path.exists(path) else str(error).rstrip(".")
        raise Problem(f"{path} cannot be read: {why}. Give a WAV, MP3, FLAC or Ogg file.") from None
    return soxr.resample(samples.mean(axis=1), rate, RATE)


async def send_file(ws: websockets.ClientConnection, samples: np.ndarray, rtf: float) -> None:
    began = time.monotonic()
    with suppress(websockets.ConnectionClosed):  # why, the server tells whoever reads
        for start in range(0, len(samples), FRAME):
            await send_audio(ws, samples[start : start + FRAME])
            if rtf:
                await asyncio.sleep(began + start / RATE / rtf - time.monotonic())
        await send_audio(ws, np.zeros(-len(samples) % FRAME, np.float32))
        await ws.send(msgpack.packb({"type": "Marker", "id": MARKER}))
        for _ in range(int(FLUSH * RATE / FRAME)):
            await send_audio(ws, np.zeros(FRAME, np.float32))


async def send_audio(ws: websockets.ClientConnection, samples: np.ndarray) -> None:
    await ws.send(msgpack.packb({"type": "Audio", "pcm": samples.tolist()}, use_single_float=True))


async def transcribe_microphone(args: argparse.Namespace) -> None:
    sounddevice = sound_card()
    heard: asyncio.Queue[np.ndarray] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def hear(block: np.ndarray, *_: object) -> None:
        loop.call_soon_threadsafe(heard.put_nowait, block[:, 0].copy())

    transcript = Transcript(shows=True, vad=args.vad)
    stream = sounddevice.InputStream(RATE, FRAME, channels=1, dtype="float32", callback=hear)
    async with socket(args, "/api/asr-streaming", keep="true" if args.keep else None) as ws:

        async def send() -> None:
            while True:
                await send_audio(ws, await heard.get())

        with stream:
            sending = asyncio.create_task(send())
            try:
                async for message in messages(ws):
                    transcript.take(message)
            finally:
                sending.cancel()


class Transcript:
    def __init__(self, shows: bool, vad: bool) -> None:
        self.words: list[dict[str, Any]] = []
        self.seconds = 0.0
        self._shows, self._vad, self._speaks = shows, vad, False

    def take(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "Word":
                start = message["start_time"]
                self.words.append({"text": message["text"], "start": start, "end": start})
                self._speaks = True
                self._show(message["text"])
            case "EndWord" if self.words:
                self.words[-1]["end"] = message["stop_time"]
            case "Step":
                self.seconds += FRAME / RATE
                if self._vad and self._speaks and message["prs"][PAUSE_HEAD] > PAUSE_SURE:
                    self._speaks = False
                    self._show("|")

    def _show(self, text: str) -> None:
        if self._shows:
            print(text, end=" ", flush=True)

    def print(self, format: str) -> None:
        match format:
            case "text":
                print()
            case "words":
                for word in self.words:
                    print(f"{word['start']:8.2f} {word['end']:8.2f}  {word['text']}")
            case "json":
                text = " ".join(word["text"] for word in self.words)
                print(json.dumps({"text": text, "words": self.words}, ensure_ascii=False, indent=1))
            case "srt":
                for number, line in enumerate(self._lines(), 1):
                    print(f"{number}\n{clock(line[0]['start'])} --> {clock(line[-1]['end'])}")
                    print(" ".join(word["text"] for word in line), end="\n\n")

    def _lines(self) -> Iterator[list[dict[str, Any]]]:
        """Of 42 characters, or up to a pause of 0.7 s."""
        line: list[dict[str, Any]] = []
        for word in self.words:
            length = sum(len(each["text"]) + 1 for each in line) + len(word["text"])
            if line and (length > 42 or word["start"] - line[-1]["end"] > 0.7):
                yield line
                line = []
            line.append(word)
        if line:
            yield line


def clock(seconds: float) -> str:
    total = round(seconds * 1000)
    return f"{total // 3_600_000:02}:{total // 60_000 % 60:02}:{total // 1000 % 60:02},{total % 1000:03}"


# --- Recordings to sessions -----------------------------------------------------------------------------------------


def upload_all(args: argparse.Namespace) -> None:
    failed = 0
    for file in recordings(args.paths):
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
        raise Problem(f"{failed} of the recordings could not be transcribed.")


def recordings(paths: list[str]) -> Iterator[Path]:
    for path in map(Path, paths):
        if path.is_dir():
            files = (file for file in sorted(path.rglob("*")) if file.is_file() and not file.name.startswith("."))
            yield from (file for file in files if (guess_type(file.name)[0] or "").startswith(("audio/", "video/")))
        else:
            yield path


def upload(args: argparse.Namespace, file: Path) -> str:
    """Returns the session, once it is transcribed. One that was sent in part goes on."""
    wishes = {"engine": args.engine, "language": args.language, "audio": args.audio, "sides": args.sides}
    with file.open("rb") as recording, tqdm(total=100, unit="%", disable=not sys.stderr.isatty(), leave=False) as bar:
        asked = json.dumps({"name": file.name, "size": file.stat().st_size, **wishes}).encode()
        told = json.loads(fetch(args, "/api/v1/uploads/", "POST", asked))
        while told["state"] not in ("done", "refused", "cut"):
            url = f"/api/v1/uploads/{told['id']}/"
            if told["state"] == "sending":
                bar.set_description(f"sending {file.name}")
                recording.seek(told["received"])
                piece = recording.read(PIECE)
                url += f"content/?offset={told['received']}"
                told = json.loads(fetch(args, url, "PUT", piece, "application/octet-stream"))
            else:
                bar.set_description(f"{told['state']} {file.name}")
                bar.update(round(100 * told["transcribed"] / told["length"]) - bar.n if told["length"] else 0)
                time.sleep(0.5)
                told = get(args, url)
    if told["problem"]:
        raise Problem(" ".join(told["problem"].values()))
    if told["session"] is None:
        raise Problem("There is no speech in it.")
    return told["session"]


def transcript_of(args: argparse.Namespace, session: str) -> bytes:
    return fetch(args, f"/api/v1/sessions/{quote(session)}/transcript.{quote(args.format)}")


# --- Text to speech -------------------------------------------------------------------------------------------------


async def say(args: argparse.Namespace) -> None:
    text = sys.stdin.read() if args.text == "-" else args.text
    player = None if args.out else sound_card().OutputStream(RATE, FRAME, channels=1, dtype="float32")
    frames: list[np.ndarray] = []
    wishes = {"format": "PcmMessagePack", "voice": args.voice or None}
    async with socket(args, "/api/tts_streaming", **wishes) as ws:
        sending = asyncio.create_task(send_text(ws, text))
        if player:
            player.start()
        with tqdm(unit="s", disable=not sys.stderr.isatty()) as bar:
            async for message in messages(ws):
                if message["type"] == "Audio":
                    frames.append(np.array(message["pcm"], np.float32))
                    bar.update(FRAME / RATE)
                    if player:
                        await asyncio.to_thread(player.write, frames[-1][:, None])
        await asyncio.wait([sending])
    if not frames:
        raise Problem("nothing was spoken: there is no word in the text.")
    if player:
        player.stop()
    else:
        soundfile.write(args.out, np.concatenate(frames), RATE, format="WAV")


async def send_text(ws: websockets.ClientConnection, text: str) -> None:
    with suppress(websockets.ConnectionClosed):  # why, the server tells whoever reads
        for word in text.split():
            await ws.send(msgpack.packb({"type": "Text", "text": word}))
        await ws.send(msgpack.packb({"type": "Eos"}))


# --- The server -----------------------------------------------------------------------------------------------------


@asynccontextmanager
async def socket(
    args: argparse.Namespace, path: str, **query: str | None
) -> AsyncIterator[websockets.ClientConnection]:
    wishes = urlencode({name: value for name, value in query.items() if value is not None})
    url = f"{args.url.replace('http', 'ws', 1)}{path}{'?' if wishes else ''}{wishes}"
    try:
        async with websockets.connect(url, additional_headers={"kyutai-api-key": args.token}, max_size=None) as ws:
            yield ws
    except websockets.InvalidStatus as error:
        raise refused(args, error.response.status_code) from None
    except websockets.ConnectionClosed as error:
        why = error.rcvd.reason if error.rcvd else ""
        raise Problem(f"{args.url} closed the connection. {why or 'It gave no reason.'}") from None
    except (OSError, TimeoutError, websockets.InvalidHandshake, websockets.InvalidURI) as error:
        raise unreachable(args, error) from None


async def messages(ws: websockets.ClientConnection) -> AsyncIterator[dict[str, Any]]:
    async for data in ws:
        message = msgpack.unpackb(data)
        if message["type"] == "Error":
            raise Problem(f"the server says: {message['message']}")
        yield message


def fetch(
    args: argparse.Namespace, path: str, method: str = "GET", body: bytes | None = None, kind: str = "application/json"
) -> bytes:
    headers = {"Authorization": f"Bearer {args.token}", "Content-Type": kind}
    try:
        request = urllib.request.Request(args.url + path, body, headers, method=method)  # noqa: S310
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return answer.read()
    except urllib.error.HTTPError as error:
        raise refused(args, error.code, error.read()) from None
    except OSError as error:
        raise unreachable(args, error) from None


def get(args: argparse.Namespace, path: str) -> Any:
    try:
        return json.loads(fetch(args, path))
    except ValueError:
        raise Problem(f"{args.url} has no {path}. Kyutai's own server lists nothing.") from None


def refused(args: argparse.Namespace, status: int, problem: bytes = b"") -> Problem:
    if status in (401, 403):
        which = "the token" if args.token else "no token: DSM_TOKEN is not set, and it"
        return Problem(f"{args.url} refused {which} (HTTP {status}). Make one under Your account, Tokens.")
    if status == 404:
        return Problem(f"{args.url} has nothing there (HTTP 404). Is it this kind of server, and the id right?")
    with suppress(ValueError, KeyError):
        told = json.loads(problem)
        return Problem(f"{told['title']} {told['detail']}")
    return Problem(f"{args.url} answered with HTTP {status}.")


def unreachable(args: argparse.Namespace, error: Exception) -> Problem:
    return Problem(f"{args.url} does not answer ({error or type(error).__name__}). Does the server run there?")


def made_token(url: str) -> str:
    """From the secret that the operator of a site knows: a JSON Web Token as docs/security.md describes it."""
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


def sound_card() -> Any:
    try:
        import sounddevice
    except (ImportError, OSError):
        raise Problem("there is no way to the sound card. Install sounddevice (pip) and PortAudio.") from None
    return sounddevice


if __name__ == "__main__":
    sys.exit(main())
