"""What takes its time, or real processes that die, of tests/speech/openai/test_speech.py."""

import base64
import json

import httpx
import openai
import pytest

from inference.engines.tones import pcm_of
from tests.speech.openai.test_speech import TEXT, WORDS, sound, speak
from tests.support.api import access_to


@pytest.mark.parametrize("format", ["wav", "flac"])
def test_files_that_take_nothing_away(speak, format):
    assert sound(speak(response_format=format).content).tobytes() == pcm_of(WORDS)


def test_it_comes_while_it_is_being_made(client):
    """Of four minutes of speech the first bytes arrive long before the last is made."""
    text = "word " * 600
    with client.audio.speech.with_streaming_response.create(
        input=text, model="tones", voice="low", response_format="opus"
    ) as response:
        pieces = response.iter_bytes(1_000)
        heard = b"".join(next(pieces) for _ in range(5))
    assert heard.startswith(b"OggS")


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


def test_events_for_who_reads_lines(access):
    asked = {"input": TEXT, "voice": "high", "response_format": "pcm", "stream_format": "sse"}
    answer = httpx.post(f"{access.url}/v1/audio/speech", json=asked, headers=access.headers)
    events = [json.loads(line.removeprefix("data: ")) for line in answer.text.splitlines() if line]
    audio = b"".join(base64.b64decode(event["audio"]) for event in events[:-1])
    assert audio == pcm_of(WORDS)
    assert events[-1]["type"] == "speech.audio.done"


def test_their_names_of_voices_stand_for_ours(speak):
    heard = {voice: speak(voice=voice, response_format="pcm").content for voice in ("alloy", "ash", "coral")}
    assert set(heard.values()) == {pcm_of(WORDS, "high"), pcm_of(WORDS, "low")}


def test_speed(speak):
    assert len(speak(speed=1.25, response_format="pcm").content) == len(pcm_of(WORDS)) * 4 / 5


def test_a_token_that_may_only_hear_does_not_speak(access):
    deaf = access_to(access.site, "stt@example.org", "--scopes", "stt")
    client = openai.OpenAI(base_url=f"{access.url}/v1", api_key=deaf.token, max_retries=0)
    with pytest.raises(openai.PermissionDeniedError, match="lacks the scope “tts”"):
        client.audio.speech.create(input=TEXT, model="tts-1", voice="high")
