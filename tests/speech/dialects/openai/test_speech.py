"""Text to speech with OpenAI's official client. The engine derives every sample from the words."""

import base64
import io
import json

import av
import httpx
import numpy as np
import openai
import pytest

from inference.engines.testing.tones import pcm_of
from tests.support.clients.api import access_to

TEXT = "One two three, four five six seven."
WORDS = "One two three, four five six seven."


@pytest.fixture
def speak(client):
    def speak(input=TEXT, model="tts-1", voice="high", **options):
        return client.audio.speech.create(input=input, model=model, voice=voice, **options)

    return speak


def samples_of(file):
    """int16[n], mono, 24 kHz, as decoded by FFmpeg."""
    with av.open(io.BytesIO(file)) as container:
        resampler = av.AudioResampler("s16", "mono", 24_000)
        frames = [resampled for frame in container.decode(audio=0) for resampled in resampler.resample(frame)]
        return np.concatenate([frame.to_ndarray()[0] for frame in [*frames, *resampler.resample(None)]])


def test_pcm_has_the_samples_of_the_words(speak):
    response = speak(response_format="pcm")
    assert response.response.headers["content-type"] == "audio/pcm"
    assert response.content == pcm_of(WORDS)


@pytest.mark.parametrize(("format", "begins"), [("mp3", b"\xff"), ("opus", b"OggS"), ("aac", b"\xff\xf1")])
def test_lossy_formats(speak, format, begins):
    file = speak(response_format=format).content
    assert file.startswith(begins)
    assert abs(len(samples_of(file)) - len(pcm_of(WORDS)) / 2) < 4_800  # 0.2 s


def test_the_voices_are_listed(access):
    body = httpx.get(f"{access.url}/v1/audio/voices", headers=access.headers).json()
    assert [(voice["id"], voice["language"], voice["model"]) for voice in body["voices"]] == [
        ("high", "en-US", "tones"),
        ("low", "en-US", "tones"),
        ("bas", "fr-FR", "tones"),
    ]


@pytest.mark.parametrize(
    ("options", "status", "text"),
    [
        ({"model": "bark"}, 404, "Available: tones"),
        ({"voice": "unknown"}, 400, "Voice “unknown” not found."),
        ({"speed": 4.5}, 400, "Allowed range: 0.25 to 4"),
        ({"voice": "jf_alpha"}, 400, "It speaks Japanese"),
        ({"input": ""}, 400, "No text to speak"),
        ({"response_format": "midi"}, 400, "midi"),
        ({"input": "x" * 500_000}, 400, "too long"),
    ],
)
def test_invalid_requests_are_refused_with_an_explanation(speak, options, status, text):
    with pytest.raises(openai.APIStatusError) as refused:
        speak(**options)
    assert refused.value.status_code == status
    assert text in refused.value.message


@pytest.mark.slow
@pytest.mark.parametrize("format", ["wav", "flac"])
def test_lossless_formats(speak, format):
    assert samples_of(speak(response_format=format).content).tobytes() == pcm_of(WORDS)


@pytest.mark.slow
def test_audio_is_streamed_while_it_is_synthesized(client):
    """The first bytes of four minutes of speech arrive long before the last is synthesized."""
    text = "word " * 600
    with client.audio.speech.with_streaming_response.create(
        input=text, model="tones", voice="low", response_format="opus"
    ) as response:
        chunks = response.iter_bytes(1_000)
        received = b"".join(next(chunks) for _ in range(5))
    assert received.startswith(b"OggS")


@pytest.mark.slow
def test_a_closed_connection_frees_the_slot(access, client):
    for _ in range(5):
        with client.audio.speech.with_streaming_response.create(
            input="word " * 600, model="tones", voice="low", response_format="pcm"
        ) as response:
            next(response.iter_bytes(1_000))
    engine = client.models.retrieve("tones")
    attempts = 50
    while engine.free != engine.slots and attempts:
        engine, attempts = client.models.retrieve("tones"), attempts - 1
    assert engine.free == engine.slots


@pytest.mark.slow
def test_server_sent_events(access):
    body = {"input": TEXT, "voice": "high", "response_format": "pcm", "stream_format": "sse"}
    response = httpx.post(f"{access.url}/v1/audio/speech", json=body, headers=access.headers)
    events = [json.loads(line.removeprefix("data: ")) for line in response.text.splitlines() if line]
    audio = b"".join(base64.b64decode(event["audio"]) for event in events[:-1])
    assert audio == pcm_of(WORDS)
    usage = {"input_tokens": 7, "output_tokens": 20 * len(pcm_of(WORDS)) // 48_000, "total_tokens": 0}
    usage["total_tokens"] = usage["input_tokens"] + usage["output_tokens"]
    assert events[-1] == {"type": "speech.audio.done", "usage": usage}


@pytest.mark.slow
def test_names_of_openai_voices_are_aliases(speak):
    spoken = {voice: speak(voice=voice, response_format="pcm").content for voice in ("alloy", "ash", "coral")}
    assert set(spoken.values()) == {pcm_of(WORDS, "high"), pcm_of(WORDS, "low")}


@pytest.mark.parametrize(("requested", "spoken"), [(1.25, 1.25), (0.25, 0.5), (4.0, 2.0), (1.0, 1.0)])
def test_the_speed_is_limited_to_that_of_the_voice_and_reported(speak, requested, spoken):
    response = speak(speed=requested, response_format="pcm")
    assert response.response.headers["x-speed"] == f"{spoken:g}"
    assert len(response.content) == pytest.approx(len(pcm_of(WORDS)) / spoken, rel=0.25)  # words are of whole frames


@pytest.mark.parametrize(
    ("model", "voice", "spoken"),
    [
        ("speaches-ai/Kokoro-82M-v1.0-ONNX", "ff_siwis", "bas"),
        ("kokoro", "af_bella(2)+af_sky", ("high", "low")),
        ("voice-fr-fr-siwis-low", "", "bas"),
        ("speaches-ai/piper-fr_FR-siwis-low", "siwis", "bas"),
        ("tts-1-hd", "Alloy", "high"),
    ],
)
def test_names_of_speaches_and_localai_are_aliases(speak, model, voice, spoken):
    audio = speak(model=model, voice=voice, response_format="pcm").content
    names = (spoken,) if isinstance(spoken, str) else spoken
    assert audio in [pcm_of(WORDS, name) for name in names]


def test_the_models_that_speak_are_listed(access):
    body = httpx.get(f"{access.url}/v1/audio/models", headers=access.headers).json()
    assert [model["id"] for model in body["models"]] == ["tones"]


@pytest.mark.slow
def test_a_token_without_the_scope_tts_is_refused(access):
    stt_only = access_to(access.site, "stt@example.org", "--scopes", "stt")
    client = openai.OpenAI(base_url=f"{access.url}/v1", api_key=stt_only.token, max_retries=0)
    with pytest.raises(openai.PermissionDeniedError, match="lacks the scope “tts”"):
        client.audio.speech.create(input=TEXT, model="tts-1", voice="high")
