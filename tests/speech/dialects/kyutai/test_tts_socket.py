"""Kyutai's text to speech, with an engine whose audio is a function of the words."""

import asyncio
import base64
import io
import wave

import msgpack
import numpy as np
import pytest
import sphn
import websockets

from inference.engines.testing.tones import pcm_of
from tests.support.clients.http import request
from tests.support.clients.tokens import issue_token
from tests.support.servers.site import Site

TEXT = "One two three four five."
WORDS = TEXT.split()


@pytest.fixture
def site(site_with_one_slot: Site) -> Site:
    return site_with_one_slot


def tts_streaming(site, token, query=""):
    url = f"{site.url.replace('http', 'ws')}/api/tts_streaming{query}"
    return websockets.connect(url, additional_headers={"kyutai-api-key": token})


async def receive_all(socket, within=20, pace=0.0):
    """All messages, one every `pace` seconds, until the server closes with 1000."""
    received = []
    async with asyncio.timeout(within):
        async for message in socket:
            received.append(message)
            await asyncio.sleep(pace)
    assert socket.close_code == 1000
    return received


async def send_words(socket, *words):
    for word in words:
        await socket.send(msgpack.packb({"type": "Text", "text": word}))
    await socket.send(msgpack.packb({"type": "Eos"}))


def expected(voice="high", words=WORDS):
    """float32[n]: the engine's audio of the words, limited in level."""
    pcm = np.frombuffer(b"".join(pcm_of(word, voice, 5) for word in words), "<i2")
    return (pcm.astype(np.float32) / 32768).clip(-0.99, 0.99)


async def test_words_become_audio_with_their_times(site):
    token = issue_token(site)
    async with tts_streaming(site, token, "?format=PcmMessagePack&voice=low&cfg_alpha=1.5") as socket:
        await send_words(socket, *WORDS)
        received = [msgpack.unpackb(message) for message in await receive_all(socket)]
    assert received[0] == {"type": "Ready"}
    audio = [message["pcm"] for message in received if message["type"] == "Audio"]
    assert {len(pcm) for pcm in audio} == {1920}
    assert np.allclose(np.concatenate(audio), expected("low"), atol=1e-4)
    texts = [message for message in received if message["type"] == "Text"]
    assert [text["text"] for text in texts] == WORDS
    assert [text["start_s"] for text in texts] == pytest.approx([0.4 * n for n in range(5)])
    assert {message["type"] for message in received} == {"Ready", "Audio", "Text"}

    async with tts_streaming(site, token, "?format=Pcm&voice=expresso/unknown.wav") as socket:
        await socket.send(TEXT)  # text messages are words, too
        await socket.send(b"\x00")
        frames = await receive_all(socket)
    assert {len(frame) for frame in frames} == {7680}
    assert np.allclose(np.frombuffer(b"".join(frames), "<f4"), expected(), atol=1e-4)

    for query, unpack in (
        ("", lambda message: message),
        ("?format=OggOpusMessagePack", lambda message: bytes(msgpack.unpackb(message).get("data", b""))),
    ):
        async with tts_streaming(site, token, query) as socket:
            await send_words(socket, TEXT)
            pages = [unpack(message) for message in await receive_all(socket)]
        reader = sphn.OpusStreamReader(24_000)
        decoded = sum(len(reader.append_bytes(page)) for page in pages)
        assert decoded == pytest.approx(5 * 0.4 * 24_000, abs=4_000)
        assert b"".join(pages)[:4] == b"OggS"


async def test_invalid_requests_are_refused_and_free_the_slot(site):
    token = issue_token(site)
    for denied in ("?format=pcm", "?format=Wav"):
        with pytest.raises(websockets.InvalidStatus, match="400"):
            async with tts_streaming(site, token, denied):
                pass
    for wrong, status in ((issue_token(site, "--scopes", "stt"), "403"), ("wrong", "401")):
        with pytest.raises(websockets.InvalidStatus, match=status):
            async with tts_streaming(site, wrong):
                pass
    async with tts_streaming(site, token, "?format=PcmMessagePack") as socket:
        await socket.send(b"\x00")  # an empty text
        assert [msgpack.unpackb(message)["type"] for message in await receive_all(socket)] in ([], ["Ready"])
    async with tts_streaming(site, token, "?format=PcmMessagePack") as first:
        assert msgpack.unpackb(await first.recv())["type"] == "Ready"
        async with tts_streaming(site, token, "?format=PcmMessagePack") as second:
            received = [msgpack.unpackb(message) for message in await receive_all(second, within=60)]
        assert received == [{"type": "Error", "message": "no free channels"}]
        await first.send(msgpack.packb({"type": "Voice", "embeddings": [0.5], "shape": [1]}))
        error = msgpack.unpackb(await first.recv())
        assert "Voice cloning isn't supported." in error["message"]
    async with tts_streaming(site, token, "?format=PcmMessagePack") as third:
        assert msgpack.unpackb(await third.recv())["type"] == "Ready"  # the slot was free at once


def test_speech_over_http(site):
    token = issue_token(site)
    streamed = request(site, "/api/tts_streaming", {"text": TEXT, "voice": "low"}, kyutai_api_key=token)
    assert (streamed.status, streamed.headers["Content-Type"]) == (200, "audio/wav")
    assert streamed.body[:4] + streamed.body[8:16] == b"RIFFWAVEfmt "
    assert streamed.body[4:8] == streamed.body[40:44] == b"\xff\xff\xff\xff"
    assert streamed.body[44:] == b"".join(pcm_of(word, "low", 5) for word in WORDS)

    body = {"text": ["One two.", "Three."], "voices": ["high", "low"], "seed": 1, "temperature": 0.8, "top_k": 250}
    whole = request(site, "/api/tts", body, kyutai_api_key=token)
    with wave.open(io.BytesIO(whole.body)) as wav:
        assert (wav.getframerate(), wav.getnchannels(), wav.getsampwidth()) == (24_000, 1, 2)
        turns = pcm_of("One", "high", 5) + pcm_of("two.", "high", 5) + pcm_of("Three.", "low", 5)
        assert wav.readframes(wav.getnframes()) == turns
    timed = request(site, "/api/tts", {**body, "return_timestamps": True}, kyutai_api_key=token).json
    assert base64.b64decode(timed["wav"]) == whole.body
    assert [(word["text"], round(word["start_s"], 2)) for word in timed["transcript"]] == [
        ("One", 0.0),
        ("two.", 0.4),
        ("Three.", 0.8),
    ]
    for path, invalid, status in (
        ("/api/tts_streaming", {"text": TEXT}, 500),
        ("/api/tts", {"text": []}, 500),
        ("/api/tts", b"{", 500),
        ("/api/tts_streaming", {"text": "", "voice": ""}, 500),
    ):
        assert request(site, path, invalid, kyutai_api_key=token).status == status
    assert request(site, "/api/tts", body, kyutai_api_key="wrong").status == 401


@pytest.mark.slow
async def test_a_slow_reader_loses_no_audio(site):
    words = [f"word{number}" for number in range(60)]  # 24 s
    async with tts_streaming(site, issue_token(site), "?format=Pcm") as socket:
        await send_words(socket, *words)
        await asyncio.sleep(2)
        frames = await receive_all(socket, within=60, pace=0.015)  # the last are read seconds after they are sent
    assert np.allclose(np.frombuffer(b"".join(frames), "<f4"), expected(words=words), atol=1e-4)
