"""Run one of the speech plugins of LiveKit's agents: PLUGIN URL TOKEN FILE.

FILE is a recording to transcribe (24 kHz, mono, 16 bit), or the PCM file to which speech is written.
"""

import asyncio
import sys
import wave
from contextlib import suppress
from pathlib import Path

from livekit import rtc
from livekit.agents import stt, tts
from livekit.agents.utils import http_context
from livekit.plugins import deepgram, openai

RATE = 24_000
CHUNK = RATE // 50  # samples
TEXT = "The quick brown fox jumps over the lazy dog, and no one minds."
QUIET = 6.0
"""Seconds without a result after which a stream has no more."""


def frames_of(path: str) -> list[rtc.AudioFrame]:
    with wave.open(path) as file:
        pcm = file.readframes(file.getnframes())
    parts = [pcm[start : start + 2 * CHUNK] for start in range(0, len(pcm), 2 * CHUNK)]
    return [rtc.AudioFrame(part, RATE, 1, len(part) // 2) for part in parts]


async def recognize(plugin: stt.STT, path: str) -> None:
    event = await plugin.recognize(frames_of(path))
    print(event.alternatives[0].text)


async def transcribe(plugin: stt.STT, path: str) -> None:
    """Transcribe a microphone in real time, which stays open after the recording. Prints the final transcripts."""
    stream = plugin.stream()
    has_ended, has_more = asyncio.Event(), asyncio.Event()

    async def speak() -> None:
        for frame in frames_of(path):
            stream.push_frame(frame)
            await asyncio.sleep(CHUNK / RATE)
        has_ended.set()
        while True:
            stream.push_frame(rtc.AudioFrame(bytes(2 * CHUNK), RATE, 1, CHUNK))
            await asyncio.sleep(CHUNK / RATE)

    async def print_transcripts() -> None:
        async for event in stream:
            if event.type == stt.SpeechEventType.FINAL_TRANSCRIPT:
                print(event.alternatives[0].text)
                has_more.set()

    tasks = [asyncio.create_task(speak()), asyncio.create_task(print_transcripts())]
    await has_ended.wait()
    with suppress(TimeoutError):
        while True:
            has_more.clear()
            async with asyncio.timeout(QUIET):
                await has_more.wait()
    for task in tasks:
        task.cancel()


async def synthesize(plugin: tts.TTS, path: str) -> None:
    frame = await plugin.synthesize(TEXT).collect()
    Path(path).write_bytes(frame.data)


async def stream_speech(plugin: tts.TTS, path: str) -> None:
    stream = plugin.stream()
    for word in TEXT.split():
        stream.push_text(f"{word} ")
    stream.end_input()
    Path(path).write_bytes(b"".join([bytes(event.frame.data) async for event in stream]))
    await stream.aclose()


async def main() -> None:
    name, url, token, path = sys.argv[1:]
    async with http_context.open():
        match name:
            case "openai-recordings":
                await recognize(openai.STT(base_url=f"{url}/v1", api_key=token), path)
            case "openai-live":
                plugin = openai.STT(base_url=f"{url}/v1", api_key=token, use_realtime=True)
                await transcribe(plugin, path)
            case "openai-synthesis":
                await synthesize(openai.TTS(base_url=f"{url}/v1", api_key=token), path)
            case "deepgram-recordings":
                await recognize(deepgram.STT(base_url=f"{url}/v1/listen", api_key=token), path)
            case "deepgram-live":
                await transcribe(deepgram.STT(base_url=f"{url}/v1/listen", api_key=token), path)
            case "deepgram-synthesis":
                await stream_speech(deepgram.TTS(base_url=f"{url}/v1/speak", api_key=token), path)


asyncio.run(main())
