"""The official client has texts spoken. The engine's sounds are a function of the words, so every sample counts."""

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
    def speak(input=TEXT, model="tts-1", voice="high", **wishes):
        return client.audio.speech.create(input=input, model=model, voice=voice, **wishes)

    return speak


def sound(file):
    """int16[n], mono, 24 kHz, of a file as others read it."""
    with av.open(io.BytesIO(file)) as container:
        resampler = av.AudioResampler("s16", "mono", 24_000)
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
        return np.concatenate([frame.to_ndarray()[0] for frame in [*frames, *resampler.resample(None)]])


def test_the_samples_are_those_of_the_words(speak):
    response = speak(response_format="pcm")
    assert response.response.headers["content-type"] == "audio/pcm"
    assert response.content == pcm_of(WORDS)


@pytest.mark.parametrize(("format", "begins"), [("mp3", b"\xff"), ("opus", b"OggS"), ("aac", b"\xff\xf1")])
def test_files_that_are_small(speak, format, begins):
    file = speak(response_format=format).content
    assert file.startswith(begins)
    assert abs(len(sound(file)) - len(pcm_of(WORDS)) / 2) < 4_800  # 0.2 s


def test_the_voices_are_listed(access):
    told = httpx.get(f"{access.url}/v1/audio/voices", headers=access.headers).json()
    assert [(voice["id"], voice["language"], voice["model"]) for voice in told["voices"]] == [
        ("high", "en-US", "tones"),
        ("low", "en-US", "tones"),
        ("bas", "fr-FR", "tones"),
    ]


@pytest.mark.parametrize(
    ("wishes", "status", "words"),
    [
        ({"model": "bark"}, 404, "Running are: tones"),
        ({"voice": "nobody"}, 400, "There is no voice “nobody”."),
        ({"speed": 99}, 400, "takes 0.5 to 2"),
        ({"input": ""}, 400, "nothing to speak"),
        ({"response_format": "midi"}, 400, "midi"),
        ({"input": "x" * 500_000}, 400, "too long"),
    ],
)
def test_what_cannot_be_is_refused_in_words(speak, wishes, status, words):
    with pytest.raises(openai.APIStatusError) as refused:
        speak(**wishes)
    assert refused.value.status_code == status
    assert words in refused.value.message


@pytest.mark.slow
@pytest.mark.parametrize("format", ["wav", "flac"])
def test_files_that_take_nothing_away(speak, format):
    assert sound(speak(response_format=format).content).tobytes() == pcm_of(WORDS)


@pytest.mark.slow
def test_it_comes_while_it_is_being_made(client):
    """Of four minutes of speech the first bytes arrive long before the last is made."""
    text = "word " * 600
    with client.audio.speech.with_streaming_response.create(
        input=text, model="tones", voice="low", response_format="opus"
    ) as response:
        pieces = response.iter_bytes(1_000)
        heard = b"".join(next(pieces) for _ in range(5))
    assert heard.startswith(b"OggS")


@pytest.mark.slow
def test_who_stops_listening_frees_the_slot(access, client):
    for _ in range(5):
        with client.audio.speech.with_streaming_response.create(
            input="word " * 600, model="tones", voice="low", response_format="pcm"
        ) as response:
            next(response.iter_bytes(1_000))
    told = client.models.retrieve("tones")
    deadline = 50
    while told.free != told.slots and deadline:
        told, deadline = client.models.retrieve("tones"), deadline - 1
    assert told.free == told.slots


@pytest.mark.slow
def test_events_for_who_reads_lines(access):
    asked = {"input": TEXT, "voice": "high", "response_format": "pcm", "stream_format": "sse"}
    answer = httpx.post(f"{access.url}/v1/audio/speech", json=asked, headers=access.headers)
    events = [json.loads(line.removeprefix("data: ")) for line in answer.text.splitlines() if line]
    audio = b"".join(base64.b64decode(event["audio"]) for event in events[:-1])
    assert audio == pcm_of(WORDS)
    assert events[-1]["type"] == "speech.audio.done"


@pytest.mark.slow
def test_their_names_of_voices_stand_for_ours(speak):
    heard = {voice: speak(voice=voice, response_format="pcm").content for voice in ("alloy", "ash", "coral")}
    assert set(heard.values()) == {pcm_of(WORDS, "high"), pcm_of(WORDS, "low")}


@pytest.mark.slow
def test_speed(speak):
    assert len(speak(speed=1.25, response_format="pcm").content) == len(pcm_of(WORDS)) * 4 / 5


@pytest.mark.slow
def test_a_token_that_may_only_hear_does_not_speak(access):
    deaf = access_to(access.site, "stt@example.org", "--scopes", "stt")
    client = openai.OpenAI(base_url=f"{access.url}/v1", api_key=deaf.token, max_retries=0)
    with pytest.raises(openai.PermissionDeniedError, match="lacks the scope “tts”"):
        client.audio.speech.create(input=TEXT, model="tts-1", voice="high")
