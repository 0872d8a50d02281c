"""The official OpenAI and Deepgram packages with real speech and the default engines."""

import asyncio
import base64
import io
import wave

import numpy as np
import openai
import pytest
import soxr

from tests.speech.dialects.deepgram.conftest import client_of
from tests.speech.dialects.openai.test_realtime import COMPLETED, DELTA, config, connect, until
from tests.support.clients.api import access_to
from tests.support.clients.third_party import Client, installed
from tests.support.servers.site_fixture import site_fixture
from tests.support.speech.words import word_error_rate

pytestmark = pytest.mark.slow

OPENAI = Client("OpenAI for Python", "PyPI: openai", "OpenAI", installed("openai"))
DEEPGRAM = Client("Deepgram for Python", "PyPI: deepgram-sdk", "Deepgram", installed("deepgram-sdk"))
SENTENCE = "The quick brown fox jumps over the lazy dog, and no one minds."
RATE = 24_000


site = site_fixture("module", TTS_ENGINE="piper", STT_SLOTS="0")


@pytest.fixture(scope="module")
def access(site):
    return access_to(site, "sdks@example.org")


@pytest.fixture
def client(access):
    return openai.OpenAI(base_url=f"{access.url}/v1", api_key=access.token, max_retries=0)


@pytest.fixture(scope="module")
def pcm(excerpt):
    return excerpt.samples(RATE, silence_after=1.0).tobytes()


@pytest.mark.client(OPENAI, "recordings")
def test_openai_transcribes_a_recording(client, excerpt):
    with excerpt.wav().open("rb") as file:
        transcription = client.audio.transcriptions.create(
            file=file, model="whisper-1", response_format="verbose_json", timestamp_granularities=["word"]
        )
    assert word_error_rate(excerpt.text, transcription.text) <= 0.05
    assert [word.start for word in transcription.words] == sorted(word.start for word in transcription.words)


@pytest.mark.client(OPENAI, "recordings")
def test_openai_streams_a_transcription(client, excerpt):
    with excerpt.wav().open("rb") as file:
        *deltas, done = client.audio.transcriptions.create(file=file, model="gpt-4o-transcribe", stream=True)
    assert word_error_rate(excerpt.text, done.text) <= 0.05
    assert "".join(delta.delta for delta in deltas) == done.text


@pytest.mark.client(OPENAI, "synthesis")
@pytest.mark.parametrize("format", ["wav", "mp3", "opus", "flac"])
def test_openai_speech_is_transcribed_again(client, format):
    speech = client.audio.speech.create(model="tts-1", voice="alloy", input=SENTENCE, response_format=format).content
    transcription = client.audio.transcriptions.create(file=(f"speech.{format}", speech), model="whisper-1")
    assert word_error_rate(SENTENCE, transcription.text) <= 0.2


@pytest.mark.client(OPENAI, "synthesis")
def test_openai_streams_speech(client):
    with client.audio.speech.with_streaming_response.create(
        model="tts-1", voice="alloy", input=SENTENCE, response_format="pcm"
    ) as response:
        chunks = list(response.iter_bytes())
    assert len(chunks) > 1
    assert np.abs(np.frombuffer(b"".join(chunks), "<i2")).max() > 2000


@pytest.mark.client(OPENAI, "live speech")
async def test_openai_realtime_transcription(access, excerpt, pcm):
    realtime = openai.AsyncOpenAI(base_url=f"{access.url}/v1", api_key=access.token).realtime
    async with connect(realtime) as connection:
        await connection.session.update(session=config())
        await until(connection, "session.updated")
        speaking = asyncio.create_task(speak(connection, pcm))
        events, text = [], ""
        while len(text.split()) < 0.9 * len(excerpt.text.split()):  # there are as many turns as pauses
            events += await until(connection, COMPLETED)
            text = " ".join(event.transcript for event in events if event.type == COMPLETED)
        await speaking
    assert any(event.type == DELTA for event in events)
    assert word_error_rate(excerpt.text, text) <= 0.1


async def speak(connection, pcm):
    for start in range(0, len(pcm), RATE // 5):
        await connection.input_audio_buffer.append(audio=base64.b64encode(pcm[start : start + RATE // 5]).decode())
        await asyncio.sleep(0.1)


def finals(messages):
    results = [message for message in messages if message.type == "Results" and message.is_final]
    return " ".join(message.channel.alternatives[0].transcript for message in results)


@pytest.mark.client(DEEPGRAM, "live speech")
@pytest.mark.parametrize("rate", [24_000, 16_000, 8_000])
def test_deepgram_streaming(access, excerpt, pcm, rate):
    samples = soxr.resample(np.frombuffer(pcm, "<i2"), RATE, rate).tobytes()
    with client_of(access).listen.v1.connect(model="nova-3", encoding="linear16", sample_rate=rate) as socket:
        for start in range(0, len(samples), 8_000):
            socket.send_media(samples[start : start + 8_000])
        socket.send_close_stream()
        messages = list(socket)
    assert word_error_rate(excerpt.text, finals(messages)) <= (0.1 if rate > 8_000 else 0.3)


@pytest.mark.client(DEEPGRAM, "live speech")
def test_deepgram_sends_interim_results_before_final_ones(access, excerpt):
    with (
        wave.open(io.BytesIO(excerpt.wav(16_000).read_bytes())) as file,
        client_of(access).listen.v1.connect(
            model="nova-3", encoding="linear16", sample_rate=16_000, interim_results=True
        ) as socket,
    ):
        while chunk := file.readframes(1_600):
            socket.send_media(chunk)
        socket.send_finalize()
        socket.send_close_stream()
        messages = list(socket)
    results = [message for message in messages if message.type == "Results"]
    assert not results[0].is_final
    assert word_error_rate(excerpt.text, finals(messages)) <= 0.1
