"""The official client transcribes files. The engine's words are checksums: a sample lost on the way would show."""

import openai
import pysubs2
import pytest

from tests.inference.speech_like import noise, words_of
from tests.support.api import wav_of

PCM = noise(62)
WORDS = words_of(PCM)
RECORDING = ("speech.wav", wav_of(PCM))


@pytest.fixture
def transcribe(client):
    def transcribe(file=RECORDING, model="whisper-1", **wishes):
        return client.audio.transcriptions.create(file=file, model=model, **wishes)

    return transcribe


def test_a_recording_becomes_text(transcribe):
    transcription = transcribe()
    assert transcription.text.split() == WORDS
    assert transcription.usage.seconds == 5


def test_every_word_has_its_times(transcribe):
    told = transcribe(response_format="verbose_json", timestamp_granularities=["word", "segment"])
    assert [word.word for word in told.words] == WORDS
    assert [round(word.start, 1) for word in told.words] == [round(0.4 * n, 1) for n in range(len(WORDS))]
    assert " ".join(segment.text.strip() for segment in told.segments) == " ".join(WORDS)
    assert [segment.id for segment in told.segments] == [0, 1, 2]
    assert (told.language, round(told.duration, 2)) == ("en", 4.96)


@pytest.mark.parametrize("format", ["srt", "vtt"])
def test_subtitles_open_in_a_program_of_others(transcribe, format):
    subtitles = pysubs2.SSAFile.from_string(transcribe(response_format=format), format_=format)
    assert " ".join(line.plaintext for line in subtitles).split() == WORDS


def test_words_come_as_they_are_heard(transcribe):
    *deltas, done = transcribe(stream=True, include=["logprobs"])
    assert {event.type for event in deltas} == {"transcript.text.delta"}
    assert "".join(event.delta for event in deltas) == " ".join(WORDS)
    assert (done.type, done.text) == ("transcript.text.done", " ".join(WORDS))
    assert deltas[0].logprobs[0].token == WORDS[0]


def test_a_wrong_token_is_refused(access):
    stranger = openai.OpenAI(base_url=f"{access.url}/v1", api_key="wrong", max_retries=0)
    with pytest.raises(openai.AuthenticationError, match="The token was refused"):
        stranger.models.list()
