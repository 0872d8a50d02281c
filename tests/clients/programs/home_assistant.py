"""Use Wyoming-OpenAI's server as Home Assistant does: URL TOKEN FILE [TEXT].

Without a text, FILE is a recording (24 kHz, mono, 16 bit) that is transcribed. With one, its speech is written to FILE,
as PCM of 24 kHz.
"""

import asyncio
import socket
import sys
import wave
from contextlib import suppress
from pathlib import Path

from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.event import Event
from wyoming.tts import Synthesize


async def main() -> None:
    url, token, path, *text = sys.argv[1:]
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    options = ["--uri", f"tcp://127.0.0.1:{port}", "--languages", "en"]
    options += ["--stt-openai-url", f"{url}/v1", "--stt-openai-key", token, "--stt-models", "whisper-1"]
    options += ["--tts-openai-url", f"{url}/v1", "--tts-openai-key", token, "--tts-models", "tts-1"]
    options += ["--tts-voices", "alloy"]
    program = await asyncio.create_subprocess_exec(sys.executable, "-m", "wyoming_openai", *options)
    try:
        await wait_until_open(port)
        async with AsyncTcpClient("127.0.0.1", port) as client:
            await (speak(client, text[0], path) if text else transcribe(client, path))
    finally:
        program.kill()
        await program.wait()


async def wait_until_open(port: int) -> None:
    async with asyncio.timeout(60):
        while True:
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.1)


async def transcribe(client: AsyncTcpClient, path: str) -> None:
    with wave.open(path) as file:
        pcm = file.readframes(file.getnframes())
    audio = {"rate": 24_000, "width": 2, "channels": 1}
    await client.write_event(Transcribe(name="whisper-1", language="en").event())
    await client.write_event(AudioStart(**audio).event())
    for start in range(0, len(pcm), 4_096):
        await client.write_event(AudioChunk(audio=pcm[start : start + 4_096], **audio).event())
    await client.write_event(AudioStop().event())
    while not Transcript.is_type((event := await next_event(client)).type):
        pass
    print(Transcript.from_event(event).text)


async def speak(client: AsyncTcpClient, text: str, path: str) -> None:
    await client.write_event(Synthesize(text=text).event())
    speech = bytearray()
    while not AudioStop.is_type((event := await next_event(client)).type):
        if AudioChunk.is_type(event.type):
            chunk = AudioChunk.from_event(event)
            assert (chunk.rate, chunk.width, chunk.channels) == (24_000, 2, 1)
            speech += chunk.audio
    Path(path).write_bytes(speech)


async def next_event(client: AsyncTcpClient) -> Event:
    event = await client.read_event()
    if event is None or event.type == "error":
        sys.exit(f"Wyoming-OpenAI failed: {event and event.data}")
    return event


asyncio.run(main())
