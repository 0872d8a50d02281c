"""The official client has texts spoken. The engine's sounds are a function of the words, so every sample counts."""

import io

import av
import httpx
import numpy as np
import openai
import pytest

from inference.engines.tones import pcm_of

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
