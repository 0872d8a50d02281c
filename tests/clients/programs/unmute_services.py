"""Use Kyutai's servers as Unmute's backend does, with its own classes: FILE [TEXT]; their URLs are in the environment.

Without a text, FILE is a recording (24 kHz, mono, 16 bit) that is transcribed in real time. With one, its speech is
written to FILE, as PCM of 24 kHz.
"""

import asyncio
import sys
import wave
from pathlib import Path
from types import ModuleType

import numpy as np

fastrtc = ModuleType("fastrtc")  # it installs a web framework; for float32 audio, Unmute does not call it
fastrtc.audio_to_float32 = None
sys.modules["fastrtc"] = fastrtc

from unmute.kyutai_constants import FRAME_TIME_SEC, SAMPLES_PER_FRAME  # noqa: E402
from unmute.service_discovery import find_instance  # noqa: E402
from unmute.stt.speech_to_text import SpeechToText, STTMarkerMessage  # noqa: E402
from unmute.tts.text_to_speech import (  # noqa: E402
    TextToSpeech,
    TTSAudioMessage,
    TTSClientEosMessage,
    TTSTextMessage,
)


async def transcribe(path: str) -> None:
    stt = await find_instance("stt", SpeechToText, timeout_sec=30)
    with wave.open(path) as file:
        audio = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768

    async def speak() -> None:
        for start in range(0, len(audio), SAMPLES_PER_FRAME):
            await stt.send_audio(audio[start : start + SAMPLES_PER_FRAME])
            await asyncio.sleep(FRAME_TIME_SEC)
        await stt.send_marker(7)
        while True:  # the microphone stays open
            await stt.send_audio(np.zeros(SAMPLES_PER_FRAME, np.float32))
            await asyncio.sleep(FRAME_TIME_SEC)

    speaking = asyncio.create_task(speak())
    async for message in stt:
        if isinstance(message, STTMarkerMessage):
            assert message.id == 7
            break
        print(message.text)
    rest = asyncio.create_task(read_on(stt))
    async with asyncio.timeout(60):
        while stt.pause_prediction.value < 0.6:  # Unmute replies above this value
            await asyncio.sleep(0.1)
    rest.cancel()
    speaking.cancel()
    await stt.websocket.close()


async def read_on(stt: SpeechToText) -> None:
    async for message in stt:
        print(message.text)


async def speak(path: str, text: str) -> None:
    tts = await find_instance("tts", TextToSpeech, timeout_sec=30)
    for word in text.split():
        await tts.send(f"{word} ")
    await tts.send(TTSClientEosMessage())
    audio, words = [], []
    async for message in tts:
        if isinstance(message, TTSAudioMessage):
            audio += message.pcm
        elif isinstance(message, TTSTextMessage):
            words.append(message.text)
    assert words == text.split(), words
    Path(path).write_bytes((np.array(audio) * 32767).astype("<i2").tobytes())


path, *text = sys.argv[1:]
asyncio.run(speak(path, text[0]) if text else transcribe(path))
