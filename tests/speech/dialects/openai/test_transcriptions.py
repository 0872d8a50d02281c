"""The official client transcribes files. The engine's words are checksums: a sample lost on the way would show."""

import subprocess

import openai
import pysubs2
import pytest

from inference.messages import FRAME_BYTES
from tests.support.clients.api import access_to, wav_of
from tests.support.servers import programs
from tests.support.speech.checksum_audio import noise, words_of

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


@pytest.mark.slow
def test_plain_text(transcribe):
    assert transcribe(response_format="text").split() == WORDS


@pytest.mark.slow
def test_a_long_one_is_heard_in_parts_and_told_as_one(transcribe):
    pcm = bytearray(noise(1_500))
    pcm[FRAME_BYTES * 748 : FRAME_BYTES * 753] = bytes(FRAME_BYTES * 5)  # it is cut here, where a word ends
    told = transcribe(
        ("long.wav", wav_of(bytes(pcm))),
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
    )
    assert [word.word for word in told.words] == words_of(bytes(pcm))
    assert [round(word.start, 1) for word in told.words] == [round(0.4 * n, 1) for n in range(300)]
    assert [segment.id for segment in told.segments] == list(range(len(told.segments)))
    assert told.duration == 120


@pytest.mark.slow
def test_words_are_told_only_to_who_asks_for_them(transcribe):
    told = transcribe(response_format="verbose_json")
    assert (told.words, len(told.segments)) == (None, 3)


@pytest.mark.slow
@pytest.mark.parametrize("format", ["flac", "ogg -c:a flac", "webm -c:a opus", "m4a", "mp3"])
def test_files_of_all_kinds(transcribe, format, tmp_path):
    wav, (extension, *codec) = tmp_path / "speech.wav", format.split()
    wav.write_bytes(wav_of(PCM))
    file = tmp_path / f"speech.{extension}"
    command = [programs.ffmpeg(), "-nostdin", "-loglevel", "error", "-i", wav, *codec, "-strict", "-2", file]
    subprocess.run(command, check=True)
    heard = transcribe(file=file).text.split()
    if "flac" in format:  # the others take something away
        assert heard == WORDS
    else:
        assert abs(len(heard) - len(WORDS)) <= 1


@pytest.mark.slow
def test_the_engine_may_be_named(client, transcribe):
    assert "checksum" in [model.id for model in client.models.list()]
    assert client.models.retrieve("checksum").id == "checksum"
    assert transcribe(model="checksum", language="en-US").text.split() == WORDS


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wishes", "status", "param", "words"),
    [
        ({"model": "parakeet"}, 404, "model", "Running are: checksum"),
        ({"response_format": "diarized_json"}, 400, "response_format", "They are: json"),
        ({"timestamp_granularities": ["letter"]}, 400, "timestamp_granularities", "letter"),
        ({"language": "tlh"}, 400, None, "They know: en."),
        ({"file": ("speech.wav", b"This is text.")}, 400, None, "could not be read as sound"),
        ({"file": ("speech.wav", b"")}, 400, None, "could not be read as sound"),
        ({"file": ("speech.wav", wav_of(b""))}, 400, None, "no sound"),
    ],
)
def test_what_cannot_be_is_refused_in_words(transcribe, wishes, status, param, words):
    with pytest.raises(openai.APIStatusError) as refused:
        transcribe(**wishes)
    assert (refused.value.status_code, refused.value.param) == (status, param)
    assert words in refused.value.message


@pytest.mark.slow
def test_a_token_that_may_only_speak_does_not_hear(access):
    mute = access_to(access.site, "tts@example.org", "--scopes", "tts")
    client = openai.OpenAI(base_url=f"{access.url}/v1", api_key=mute.token, max_retries=0)
    with pytest.raises(openai.PermissionDeniedError, match="lacks the scope “stt”"):
        client.audio.transcriptions.create(file=RECORDING, model="whisper-1")


@pytest.mark.slow
def test_nothing_of_it_is_kept(access, transcribe):
    transcribe()
    assert access.site.shell("from speech.models import Session; print(Session.objects.count())") == "0"
