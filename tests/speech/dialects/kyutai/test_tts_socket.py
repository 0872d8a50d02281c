"""Kyutai's text-to-speech doors, with an engine whose sound is a function of the words."""

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
from tests.support.clients.http import ask
from tests.support.clients.tokens import issue_token
from tests.support.servers.site import running_site

TEXT = "One two three four five."
WORDS = TEXT.split()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    env = {"STT_ENGINE": "checksum", "TTS_ENGINE": "tones", "TTS_SLOTS": "1"}
    with running_site(tmp_path_factory.mktemp("site"), **env) as site:
        yield site


def tts_streaming(site, token, query=""):
    url = f"{site.url.replace('http', 'ws')}/api/tts_streaming{query}"
    return websockets.connect(url, additional_headers={"kyutai-api-key": token})


async def heard(socket, within=20, pace=0.0):
    """All that is told, a message every `pace` seconds, until the server closes in order."""
    told = []
    async with asyncio.timeout(within):
        async for message in socket:
            told.append(message)
            await asyncio.sleep(pace)
    assert socket.close_code == 1000
    return told


async def say(socket, *words):
    for word in words:
        await socket.send(msgpack.packb({"type": "Text", "text": word}))
    await socket.send(msgpack.packb({"type": "Eos"}))


def expected(voice="high", words=WORDS):
    """float32[n]: what the engine makes of the words, no louder than it may be."""
    pcm = np.frombuffer(b"".join(pcm_of(word, voice, 5) for word in words), "<i2")
    return (pcm.astype(np.float32) / 32768).clip(-0.99, 0.99)


async def test_words_become_sound_with_their_times(site):
    token = issue_token(site)
    async with tts_streaming(site, token, "?format=PcmMessagePack&voice=low&cfg_alpha=1.5") as socket:
        await say(socket, *WORDS)
        told = [msgpack.unpackb(message) for message in await heard(socket)]
    assert told[0] == {"type": "Ready"}
    audio = [message["pcm"] for message in told if message["type"] == "Audio"]
    assert {len(pcm) for pcm in audio} == {1920}
    assert np.allclose(np.concatenate(audio), expected("low"), atol=1e-4)
    texts = [message for message in told if message["type"] == "Text"]
    assert [text["text"] for text in texts] == WORDS
    assert [text["start_s"] for text in texts] == pytest.approx([0.4 * n for n in range(5)])
    assert {message["type"] for message in told} == {"Ready", "Audio", "Text"}

    async with tts_streaming(site, token, "?format=Pcm&voice=expresso/nobody.wav") as socket:
        await socket.send(TEXT)  # text frames are words as well
        await socket.send(b"\x00")
        frames = await heard(socket)
    assert {len(frame) for frame in frames} == {7680}
    assert np.allclose(np.frombuffer(b"".join(frames), "<f4"), expected(), atol=1e-4)

    for query, unpack in (
        ("", lambda message: message),
        ("?format=OggOpusMessagePack", lambda message: bytes(msgpack.unpackb(message).get("data", b""))),
    ):
        async with tts_streaming(site, token, query) as socket:
            await say(socket, TEXT)
            pages = [unpack(message) for message in await heard(socket)]
        reader = sphn.OpusStreamReader(24_000)
        decoded = sum(len(reader.append_bytes(page)) for page in pages)
        assert decoded == pytest.approx(5 * 0.4 * 24_000, abs=4_000)
        assert b"".join(pages)[:4] == b"OggS"


async def test_what_may_go_wrong(site):
    token = issue_token(site)
    for denied in ("?format=pcm", "?format=Wav"):
        with pytest.raises(websockets.InvalidStatus):
            async with tts_streaming(site, token, denied):
                pass
    for wrong in (issue_token(site, "--scopes", "stt"), "wrong"):
        with pytest.raises(websockets.InvalidStatus, match="403"):
            async with tts_streaming(site, wrong):
                pass
    async with tts_streaming(site, token, "?format=PcmMessagePack") as socket:
        await socket.send(b"\x00")  # nothing is said
        assert [msgpack.unpackb(message)["type"] for message in await heard(socket)] in ([], ["Ready"])
    async with tts_streaming(site, token, "?format=PcmMessagePack") as first:
        assert msgpack.unpackb(await first.recv())["type"] == "Ready"
        async with tts_streaming(site, token, "?format=PcmMessagePack") as second:
            told = [msgpack.unpackb(message) for message in await heard(second, within=60)]
        assert told == [{"type": "Error", "message": "no free channels"}]
        await first.send(msgpack.packb({"type": "Voice", "embeddings": [0.5], "shape": [1]}))
        told = msgpack.unpackb(await first.recv())
        assert "cannot be given as a recording" in told["message"]
    async with tts_streaming(site, token, "?format=PcmMessagePack") as third:
        assert msgpack.unpackb(await third.recv())["type"] == "Ready"  # the slot was free at once


def test_texts_are_spoken_over_http(site):
    token = issue_token(site)
    streamed = ask(site, "/api/tts_streaming", {"text": TEXT, "voice": "low"}, kyutai_api_key=token)
    assert (streamed.status, streamed.headers["Content-Type"]) == (200, "audio/wav")
    assert streamed.body[:4] + streamed.body[8:16] == b"RIFFWAVEfmt "
    assert streamed.body[4:8] == streamed.body[40:44] == b"\xff\xff\xff\xff"
    assert streamed.body[44:] == b"".join(pcm_of(word, "low", 5) for word in WORDS)

    asked = {"text": ["One two.", "Three."], "voices": ["high", "low"], "seed": 1, "temperature": 0.8, "top_k": 250}
    whole = ask(site, "/api/tts", asked, kyutai_api_key=token)
    with wave.open(io.BytesIO(whole.body)) as wav:
        assert (wav.getframerate(), wav.getnchannels(), wav.getsampwidth()) == (24_000, 1, 2)
        turns = pcm_of("One", "high", 5) + pcm_of("two.", "high", 5) + pcm_of("Three.", "low", 5)
        assert wav.readframes(wav.getnframes()) == turns
    timed = ask(site, "/api/tts", {**asked, "return_timestamps": True}, kyutai_api_key=token).json
    assert base64.b64decode(timed["wav"]) == whole.body
    assert [(word["text"], round(word["start_s"], 2)) for word in timed["transcript"]] == [
        ("One", 0.0),
        ("two.", 0.4),
        ("Three.", 0.8),
    ]
    for path, body, status in (
        ("/api/tts_streaming", {"text": TEXT}, 500),
        ("/api/tts", {"text": []}, 500),
        ("/api/tts", b"{", 500),
        ("/api/tts_streaming", {"text": "", "voice": ""}, 500),
    ):
        assert ask(site, path, body, kyutai_api_key=token).status == status
    assert ask(site, "/api/tts", asked, kyutai_api_key="wrong").status == 401


@pytest.mark.slow
async def test_a_client_that_reads_slowly_misses_nothing(site):
    words = [f"word{number}" for number in range(60)]  # 24 s
    async with tts_streaming(site, issue_token(site), "?format=Pcm") as socket:
        await say(socket, *words)
        await asyncio.sleep(2)
        frames = await heard(socket, within=60, pace=0.015)  # the last are read seconds after they were sent
    assert np.allclose(np.frombuffer(b"".join(frames), "<f4"), expected(words=words), atol=1e-4)
