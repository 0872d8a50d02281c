"""The plain WebSocket protocol, through real processes; every message is validated against the AsyncAPI document."""

import asyncio
import io
import json
from contextlib import asynccontextmanager, suppress

import jsonschema
import numpy as np
import pytest
import soundfile
import sphn
import websockets

from speech.dialects.asyncapi import document
from speech.dialects.audio import AudioDecoder
from speech.errors import ProtocolError
from tests.support.clients.tokens import issue_token
from tests.support.speech.checksum_audio import noise, words_of


def validated(direction, text, channel="pcm"):
    """Decode a message and validate it against the AsyncAPI document."""
    message = json.loads(text)
    api = document()
    payload = api["channels"][channel]["messages"][f"{direction}.{message['type']}"]["payload"]
    jsonschema.validate(message, {**payload, "components": api["components"]})
    return message


class Client:
    def __init__(self, socket):
        self.socket = socket
        self.received = []

    async def send_audio(self, pcm, size):
        for start in range(0, len(pcm), size):
            await self.socket.send(pcm[start : start + size])

    async def send(self, **message):
        validated("receive", text := json.dumps(message))
        await self.socket.send(text)

    async def until_closed(self):
        with suppress(websockets.ConnectionClosed):
            while True:
                self.received.append(validated("send", await self.socket.recv()))
        return self.socket.close_code

    def words(self):
        return [message["text"] for message in self.received if message["type"] == "word"]


@asynccontextmanager
async def pcm_socket(site, token, query="", **options):
    url = f"{site.url.replace('http', 'ws')}/ws/pcm?token={token}{query}"
    async with asyncio.timeout(60), websockets.connect(url, **options) as socket:
        yield Client(socket)


async def test_all_audio_is_transcribed_up_to_its_end(site):
    token, pcm = issue_token(site, email="unsaved@example.org"), noise(32)
    floats = (np.frombuffer(pcm, "<i2") / np.float32(32768)).astype("<f4").tobytes()

    async def check(query, data, ending):
        async with pcm_socket(site, token, query) as client:
            await client.send_audio(data, size=3001)  # ends within a sample
            if isinstance(ending, dict):
                await client.send(**ending)
            elif ending is not None:
                await client.socket.send(ending)
            assert await client.until_closed() == 1000
        assert client.words() == words_of(pcm)
        kinds = [message["type"] for message in client.received]
        assert (kinds[0], kinds[-1]) == ("ready", "done")
        assert client.received[-1]["words"] == 7
        assert kinds.count("step") == 32

    await asyncio.gather(
        check("", pcm, {"type": "stop"}), check("&format=f32le", floats, b""), check("&idle=1", pcm, None)
    )
    sessions = "Session.objects.filter(owner__email='unsaved@example.org')"
    assert site.shell(f"from speech.models import Session; print({sessions}.count())") == "0"


async def test_a_flush_finishes_the_words_and_the_stream_continues(site, token):
    first, second = noise(7, seed=1), noise(10, seed=2)
    async with pcm_socket(site, token, "&keep=true") as client:
        for number, pcm in enumerate((first, second), 1):
            await client.send_audio(pcm, 3840)
            await client.send(type="flush", id=number)
        await client.send(type="stop")
        assert await client.until_closed() == 1000
    assert client.words() == words_of(first) + words_of(second)
    assert [message["id"] for message in client.received if message["type"] == "flushed"] == [1, 2]
    session = client.received[0]["session"]
    count = site.shell(f"from speech.models import Session; print(Session.objects.get(pk={session!r}).words.count())")
    assert count == str(len(client.words()))


MISTAKES = {
    "&rate=fast": "Invalid sample rate “fast”",
    "&rate=1": "Unsupported sample rate 1 Hz",
    "&format=mp3": "Unsupported format “mp3”",
    "&engine=none": "Engine “none” not found",
    "&language=xx": "No engine supports the language “xx”",
}


async def test_each_mistake_is_explained(site, token):
    for query, what in MISTAKES.items():
        async with pcm_socket(site, token, query) as client:
            assert await client.until_closed() == 4008
        assert what in client.received[-1]["what"]
        assert client.received[-1]["action"]
    for text in ("{}", "[", '{"type": "dance"}', "x" * 2000):
        async with pcm_socket(site, token) as client:
            await client.socket.send(text)
            assert await client.until_closed() == 4008
    async with pcm_socket(site, token, "&format=opus") as client:
        await client.socket.send(b"no ogg stream at all" * 20)
        assert await client.until_closed() == 4008


async def test_a_token_is_required(site):
    with pytest.raises(websockets.InvalidStatus, match="401") as denied:
        async with pcm_socket(site, "wrong"):
            pass
    assert json.loads(denied.value.response.body)["what"] == "Authentication failed."


# --- Formats ----------------------------------------------------------------------------------------------------------

TONE = 0.5 * np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000).astype(np.float32)
"""One second at 48 kHz."""


def tone(rate):
    return TONE[:: 48_000 // rate]


def encode(format, rate):
    if format == "s16le":
        return (tone(rate) * 32767).astype("<i2").tobytes()
    if format == "f32le":
        return tone(rate).astype("<f4").tobytes()
    if format == "opus":
        writer = sphn.OpusStreamWriter(24_000)
        return b"".join(writer.append_pcm(chunk) for chunk in np.split(tone(24_000), 25))
    file = io.BytesIO()
    soundfile.write(file, tone(rate), rate, format="RAW", subtype={"mulaw": "ULAW", "alaw": "ALAW"}[format])
    return file.getvalue()


@pytest.mark.parametrize(
    ("format", "rate"),
    [
        ("s16le", 8_000),
        ("s16le", 16_000),
        ("s16le", 48_000),
        ("f32le", 24_000),
        ("mulaw", 8_000),
        ("alaw", 8_000),
        ("opus", 48_000),
    ],
)
def test_a_tone_is_decoded_in_chunks_of_any_size(format, rate):
    data, decoder = encode(format, rate), AudioDecoder(format, rate)
    chunks = [decoder.decode(data[i : i + 333]) for i in range(0, len(data), 333)]
    decoded = np.frombuffer(b"".join([*chunks, decoder.flush()]), "<i2") / 32768
    assert len(decoded) == pytest.approx(24_000, abs=2_000)
    spectrum = np.abs(np.fft.rfft(decoded[4_000:20_000] * np.hanning(16_000)))
    assert np.argmax(spectrum) * 24_000 / 16_000 == pytest.approx(440, abs=2)
    assert np.abs(decoded).max() == pytest.approx(0.5, abs=0.06)


def test_nan_becomes_silence_and_overload_is_clipped():
    data = np.array([np.nan, np.inf, -np.inf, 7, -7], "<f4").tobytes()
    assert np.frombuffer(AudioDecoder("f32le", 24_000).decode(data), "<i2").tolist() == [
        0,
        32767,
        -32768,
        32767,
        -32768,
    ]


def test_an_unknown_format_is_refused():
    with pytest.raises(ProtocolError):
        AudioDecoder("s20le", 24_000)
