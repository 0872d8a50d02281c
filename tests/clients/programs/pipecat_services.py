"""Run one of Pipecat's services in a pipeline: SERVICE URL TOKEN FILE.

FILE is a recording to transcribe (24 kHz, mono, 16 bit), or the PCM file to which speech is written.
"""

import asyncio
import os
import sys
import wave
from contextlib import suppress
from pathlib import Path

import aiohttp
from pipecat.frames.frames import (
    EndFrame,
    ErrorFrame,
    Frame,
    InputAudioRawFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    TTSSpeakFrame,
    TTSStoppedFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.deepgram.stt import DeepgramSTTService
from pipecat.services.deepgram.tts import DeepgramHttpTTSService, DeepgramTTSService
from pipecat.services.openai.stt import OpenAIRealtimeSTTService, OpenAISTTService
from pipecat.services.openai.tts import OpenAITTSService
from pipecat.workers.runner import WorkerRunner

RATE = 24_000
CHUNK = RATE // 50  # samples
TEXT = "The quick brown fox jumps over the lazy dog, and no one minds."
QUIET = 6.0
"""Seconds without a result after which a service that transcribes has no more."""


class Collector(FrameProcessor):
    """Processor that keeps what a service emits. `done`: speech has ended; `changed`: a transcript came."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.audio = bytearray()
        self.done, self.changed = asyncio.Event(), asyncio.Event()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        match frame:
            case TranscriptionFrame():
                self.texts.append(frame.text)
                self.changed.set()
            case TTSAudioRawFrame():
                self.audio += frame.audio
            case TTSStoppedFrame():
                self.done.set()
        await self.push_frame(frame, direction)


async def transcribe(worker: PipelineWorker, collector: Collector, path: str) -> None:
    """Transcribe a microphone in real time, which stays open after the recording. Prints the transcripts."""
    with wave.open(path) as file:
        pcm = file.readframes(file.getnframes())
    await worker.queue_frame(VADUserStartedSpeakingFrame())
    for start in range(0, len(pcm), 2 * CHUNK):
        await worker.queue_frame(InputAudioRawFrame(pcm[start : start + 2 * CHUNK], RATE, 1))
        await asyncio.sleep(CHUNK / RATE)
    await worker.queue_frame(VADUserStoppedSpeakingFrame())

    async def stay_silent() -> None:
        while True:
            await worker.queue_frame(InputAudioRawFrame(bytes(2 * CHUNK), RATE, 1))
            await asyncio.sleep(CHUNK / RATE)

    silence = asyncio.create_task(stay_silent())
    with suppress(TimeoutError):
        while True:
            collector.changed.clear()
            async with asyncio.timeout(QUIET):
                await collector.changed.wait()
    silence.cancel()
    print(*collector.texts)


async def main() -> None:
    name, url, token, path = sys.argv[1:]
    socket = url.replace("http", "ws", 1)
    collector = Collector()
    service: FrameProcessor
    match name:
        case "openai-recordings":
            service = OpenAISTTService(api_key=token, base_url=f"{url}/v1")
        case "openai-live":
            settings = OpenAIRealtimeSTTService.Settings(model="gpt-realtime-whisper")
            service = OpenAIRealtimeSTTService(api_key=token, base_url=f"{socket}/v1/realtime", settings=settings)
        case "openai-synthesis":
            service = OpenAITTSService(api_key=token, base_url=f"{url}/v1")
        case "deepgram-live":
            service = DeepgramSTTService(api_key=token, base_url=url)
        case "deepgram-synthesis":
            service = DeepgramTTSService(api_key=token, base_url=socket)
        case "deepgram-http-synthesis":
            session = aiohttp.ClientSession()
            service = DeepgramHttpTTSService(api_key=token, base_url=url, aiohttp_session=session)
    params = PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=RATE)
    worker = PipelineWorker(Pipeline([service, collector]), params=params)

    @worker.event_handler("on_pipeline_error")
    async def on_error(worker: PipelineWorker, frame: ErrorFrame) -> None:
        print(frame, file=sys.stderr, flush=True)
        os._exit(1)  # an exception would only end this handler

    async def use() -> None:
        if name.endswith("synthesis"):
            await worker.queue_frame(TTSSpeakFrame(TEXT))
            async with asyncio.timeout(40):
                await collector.done.wait()
            Path(path).write_bytes(collector.audio)
        else:
            await transcribe(worker, collector, path)
        await worker.queue_frame(EndFrame())

    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    await asyncio.gather(runner.run(), use())


asyncio.run(main())
