"""Deepgram's official client with `/v1/speak` and `/v1/models`."""

import io
import json

import av
import pytest
from deepgram.core.api_error import ApiError
from deepgram.speak.v1.types import SpeakV1Text
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

TEXT = "Hello there, everyone."
SECONDS = 1.2
"""The engine speaks 0.4 s for a word."""


def text(content: str) -> SpeakV1Text:
    return SpeakV1Text(type="Speak", text=content)


@pytest.fixture
def generate(client):
    """Function that returns the speech of `TEXT`."""

    def generate(**query) -> bytes:
        return b"".join(client.speak.v1.audio.generate(text=TEXT, model="aura-2-thalia-en", **query))

    return generate


def properties(data: bytes) -> tuple[str, int]:
    """Codec and sample rate of a file, whose duration must be that of the speech."""
    with av.open(io.BytesIO(data)) as file:
        stream = file.streams.audio[0]
        samples = sum(frame.samples for frame in file.decode(stream))
        assert abs(samples / stream.sample_rate - SECONDS) < 0.2
        return stream.codec_context.name, stream.sample_rate


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ("mp3float", 22_050)),
        ({"encoding": "linear16"}, ("pcm_s16le", 24_000)),
        pytest.param({"encoding": "mulaw", "container": "wav"}, ("pcm_mulaw", 8_000), marks=pytest.mark.slow),
        ({"encoding": "opus"}, ("opus", 48_000)),
        pytest.param({"encoding": "flac", "sample_rate": 16_000}, ("flac", 16_000), marks=pytest.mark.slow),
        pytest.param({"encoding": "aac", "bit_rate": 32_000}, ("aac", 22_050), marks=pytest.mark.slow),
    ],
)
def test_files_have_the_encoding_that_is_asked_for(generate, query, expected):
    assert properties(generate(**query)) == expected


def test_raw_samples_have_no_header(generate):
    assert len(generate(encoding="linear16", container="none", sample_rate=8_000)) == SECONDS * 16_000
    assert len(generate(encoding="alaw", container="none")) == SECONDS * 8_000


def test_the_response_names_the_voice(client):
    with client.speak.v1.audio.with_raw_response.generate(text=TEXT, model="low") as response:
        assert response.headers["dg-model-name"] == "low"
        assert response.headers["dg-char-count"] == str(len(TEXT))


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ({"encoding": "mp3", "sample_rate": 8_000}, 400, "Supported: 22050"),
        ({"encoding": "linear16", "bit_rate": 8_000}, 400, "“bit_rate” isn't supported"),
        ({"encoding": "linear16", "container": "ogg"}, 400, "Supported: wav, none"),
        ({"model": "unknown"}, 400, "Voice “unknown” not found."),
        ({"model": "aura-2-ama-ja"}, 400, "No voice speaks “ja”."),
        ({"callback": "https://example.org/"}, 400, "“callback” isn't supported."),
        ({"text": "a" * 100_001}, 413, "The limit is 100,000 characters."),
        ({"text": "…"}, 400, "nothing that can be read aloud"),
    ],
)
def test_what_cannot_be_obeyed_is_refused(client, query, status, message):
    with pytest.raises(ApiError) as refused:
        list(client.speak.v1.audio.generate(**{"text": TEXT, **query}))
    assert refused.value.status_code == status
    assert message in refused.value.body["err_msg"]


def received_until(socket, kind: str) -> tuple[list, bytes]:
    """Messages up to one of the kind, and the audio."""
    messages, audio = [], b""
    while not messages or messages[-1].type != kind:
        message = socket.recv()
        if isinstance(message, bytes):
            audio += message
        else:
            messages.append(message)
    return messages, audio


def test_a_socket_speaks_what_is_flushed(client):
    with client.speak.v1.connect(model="high", encoding="linear16", sample_rate=8_000) as socket:
        assert socket.recv().model_name == "high"
        socket.send_text(text("Hello there, "))
        socket.send_text(text("everyone."))
        socket.send_flush()
        messages, audio = received_until(socket, "Flushed")
        assert len(audio) == SECONDS * 16_000
        assert [message.sequence_id for message in messages] == [0]
        socket.send_flush()  # of nothing
        assert received_until(socket, "Flushed")[1] == b""
        socket.send_text(text("…"))  # nothing that can be spoken
        socket.send_flush()
        assert [message.type for message in received_until(socket, "Flushed")[0]] == ["Warning", "Flushed"]
        socket.send_text(text("Bye."))
        socket.send_close()
        rest = list(socket)
    assert sum(len(part) for part in rest if isinstance(part, bytes)) == 0.4 * 16_000
    assert rest[-1].type == "Flushed"


def test_a_cleared_text_is_not_spoken(client):
    with client.speak.v1.connect(model="high") as socket:
        socket.send_text(text("Many words. " * 1_000))
        socket.send_flush()
        socket.recv()
        socket.send_clear()
        messages, _ = received_until(socket, "Cleared")
        assert "Flushed" not in [message.type for message in messages]
        socket.send_text(text("Bye."))
        socket.send_flush()
        _, audio = received_until(socket, "Flushed")
    assert len(audio) == 0.4 * 48_000


def test_texts_that_wait_are_limited(client, monkeypatch):
    with client.speak.v1.connect(model="high") as socket:
        socket.recv()
        socket.send_text(text("Many words. " * 1_000))
        for _ in range(60):
            socket.send_flush()
        messages, _ = received_until(socket, "Warning")
    assert messages[-1].code == "EXCESSIVE_FLUSH"


@pytest.mark.parametrize("query", ["encoding=mp3", "model=unknown", "sample_rate=1", "speed=9"])
def test_an_invalid_query_denies_the_handshake(access, query):
    uri = f"{access.url.replace('http', 'ws')}/v1/speak?{query}"
    with pytest.raises(InvalidStatus, match="400") as denied, connect(uri, additional_headers=access.headers):
        pass
    assert json.loads(denied.value.response.body)["err_code"] == "Bad Request"


def test_an_invalid_message_ends_the_socket_with_an_error(access):
    uri = f"{access.url.replace('http', 'ws')}/v1/speak"
    with connect(uri, additional_headers=access.headers) as socket:
        socket.recv()
        socket.send("{}")
        assert json.loads(socket.recv())["type"] == "Error"


def test_models_are_engines_and_voices(client):
    models = client.manage.v1.models.list()
    assert [model.canonical_name for model in models.stt] == ["checksum"]
    assert {"high", "low"} <= {model.canonical_name for model in models.tts}
    assert client.manage.v1.models.get(models.tts[0].uuid_).canonical_name == models.tts[0].canonical_name
