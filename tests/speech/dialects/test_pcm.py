"""The simple socket, through real processes; all that it says is held against what its document says of it."""

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


@pytest.fixture
def site(checksum_site):
    return checksum_site


@pytest.fixture
def token(checksum_token):
    return checksum_token


def fits(direction, text, channel="pcm"):
    """The message, which must be one of those that the document describes."""
    message = json.loads(text)
    described = document()
    payload = described["channels"][channel]["messages"][f"{direction}.{message['type']}"]["payload"]
    jsonschema.validate(message, {**payload, "components": described["components"]})
    return message


class Client:
    def __init__(self, socket):
        self.socket = socket
        self.heard = []

    async def say(self, pcm, size):
        for start in range(0, len(pcm), size):
            await self.socket.send(pcm[start : start + size])

    async def send(self, **message):
        fits("take", text := json.dumps(message))
        await self.socket.send(text)

    async def until_closed(self):
        with suppress(websockets.ConnectionClosed):
            while True:
                self.heard.append(fits("tell", await self.socket.recv()))
        return self.socket.close_code

    def words(self):
        return [message["text"] for message in self.heard if message["type"] == "word"]


@asynccontextmanager
async def pcm_socket(site, token, query="", **options):
    url = f"{site.url.replace('http', 'ws')}/ws/pcm?token={token}{query}"
    async with asyncio.timeout(60), websockets.connect(url, **options) as socket:
        yield Client(socket)


async def test_whatever_is_sent_is_heard_to_its_end(site):
    token, pcm = issue_token(site, email="passer@example.org"), noise(32)
    floats = (np.frombuffer(pcm, "<i2") / np.float32(32768)).astype("<f4").tobytes()
    endings = ({"type": "stop"}, b"", None)
    for (query, data), ending in zip((("", pcm), ("&format=f32le", floats), ("&idle=1", pcm)), endings, strict=True):
        async with pcm_socket(site, token, query) as client:
            await client.say(data, size=3001)  # ends within a sample
            if isinstance(ending, dict):
                await client.send(**ending)
            elif ending is not None:
                await client.socket.send(ending)
            assert await client.until_closed() == 1000
        assert client.words() == words_of(pcm)
        kinds = [message["type"] for message in client.heard]
        assert (kinds[0], kinds[-1]) == ("ready", "done")
        assert client.heard[-1]["words"] == 7
        assert kinds.count("step") == 32
    mine = "Session.objects.filter(owner__email='passer@example.org')"
    assert site.shell(f"from speech.models import Session; print({mine}.count())") == "0"


async def test_a_flush_brings_the_words_and_the_stream_goes_on(site, token):
    first, second = noise(7, seed=1), noise(10, seed=2)
    async with pcm_socket(site, token, "&keep=true") as client:
        for number, pcm in enumerate((first, second), 1):
            await client.say(pcm, 3840)
            await client.send(type="flush", id=number)
        await client.send(type="stop")
        assert await client.until_closed() == 1000
    assert client.words() == words_of(first) + words_of(second)
    assert [message["id"] for message in client.heard if message["type"] == "flushed"] == [1, 2]
    session = client.heard[0]["session"]
    count = site.shell(f"from speech.models import Session; print(Session.objects.get(pk={session!r}).words.count())")
    assert count == str(len(client.words()))


MISTAKES = {
    "&rate=fast": "no number of Hz",
    "&rate=1": "is not taken",
    "&format=mp3": "no format “mp3”",
    "&engine=none": "no engine “none”",
    "&language=xx": "knows the language “xx”",
}


async def test_a_mistake_is_told_in_words(site, token):
    for query, what in MISTAKES.items():
        async with pcm_socket(site, token, query) as client:
            assert await client.until_closed() == 4008
        assert what in client.heard[-1]["what"]
        assert client.heard[-1]["action"]
    for text in ("{}", "[", '{"type": "dance"}', "x" * 2000):
        async with pcm_socket(site, token) as client:
            await client.socket.send(text)
            assert await client.until_closed() == 4008
    async with pcm_socket(site, token, "&format=opus") as client:
        await client.socket.send(b"no ogg stream at all" * 20)
        assert await client.until_closed() == 4008


async def test_nobody_comes_in_without_a_token(site):
    with pytest.raises(websockets.InvalidStatus, match="403"):
        async with pcm_socket(site, "wrong"):
            pass


# --- Formats ----------------------------------------------------------------------------------------------------------

TONE = 0.5 * np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000).astype(np.float32)
"""One second at 48 kHz."""


def at(rate):
    return TONE[:: 48_000 // rate]


def encoded(format, rate):
    if format == "s16le":
        return (at(rate) * 32767).astype("<i2").tobytes()
    if format == "f32le":
        return at(rate).astype("<f4").tobytes()
    if format == "opus":
        writer = sphn.OpusStreamWriter(24_000)
        return b"".join(writer.append_pcm(chunk) for chunk in np.split(at(24_000), 25))
    file = io.BytesIO()
    soundfile.write(file, at(rate), rate, format="RAW", subtype={"mulaw": "ULAW", "alaw": "ALAW"}[format])
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
def test_a_tone_is_the_same_tone_in_pieces_of_any_size(format, rate):
    data, incoming = encoded(format, rate), AudioDecoder(format, rate)
    pieces = [incoming.decode(data[i : i + 333]) for i in range(0, len(data), 333)]
    heard = np.frombuffer(b"".join([*pieces, incoming.flush()]), "<i2") / 32768
    assert len(heard) == pytest.approx(24_000, abs=2_000)
    spectrum = np.abs(np.fft.rfft(heard[4_000:20_000] * np.hanning(16_000)))
    assert np.argmax(spectrum) * 24_000 / 16_000 == pytest.approx(440, abs=2)
    assert np.abs(heard).max() == pytest.approx(0.5, abs=0.06)


def test_what_is_no_number_is_silence_and_what_is_too_loud_is_clipped():
    data = np.array([np.nan, np.inf, -np.inf, 7, -7], "<f4").tobytes()
    assert np.frombuffer(AudioDecoder("f32le", 24_000).decode(data), "<i2").tolist() == [
        0,
        32767,
        -32768,
        32767,
        -32768,
    ]


def test_a_format_that_there_is_not():
    with pytest.raises(ProtocolError):
        AudioDecoder("s24le", 24_000)
