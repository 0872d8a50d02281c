"""Transcription of files with OpenAI's official client. The engine's words are checksums, which detect lost samples."""

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
    def transcribe(file=RECORDING, model="whisper-1", **options):
        return client.audio.transcriptions.create(file=file, model=model, **options)

    return transcribe


def test_a_recording_is_transcribed(transcribe):
    transcription = transcribe()
    assert transcription.text.split() == WORDS
    assert transcription.usage.seconds == 5


def test_a_model_that_reports_tokens_counts_words(transcribe):
    usage = transcribe(model="gpt-4o-transcribe").usage
    assert (usage.type, usage.input_token_details.audio_tokens, usage.output_tokens) == ("tokens", 50, len(WORDS))
    languages = transcribe(model="gpt-transcribe", language="English").languages
    assert [language.code for language in languages] == ["en"]


def test_every_word_has_its_times(transcribe):
    body = transcribe(response_format="verbose_json", timestamp_granularities=["word", "segment"])
    assert [word.word for word in body.words] == WORDS
    assert [round(word.start, 1) for word in body.words] == [round(0.4 * n, 1) for n in range(len(WORDS))]
    assert " ".join(segment.text.strip() for segment in body.segments) == " ".join(WORDS)
    assert [segment.id for segment in body.segments] == [0, 1, 2]
    assert (body.language, round(body.duration, 2)) == ("english", 4.96)


@pytest.mark.parametrize("format", ["srt", "vtt"])
def test_subtitles_can_be_parsed_by_pysubs2(transcribe, format):
    subtitles = pysubs2.SSAFile.from_string(transcribe(response_format=format), format_=format)
    assert " ".join(line.plaintext for line in subtitles).split() == WORDS


def test_a_streamed_response_has_a_delta_for_each_word(transcribe):
    *deltas, done = transcribe(stream=True, include=["logprobs"])
    assert {event.type for event in deltas} == {"transcript.text.delta"}
    assert "".join(event.delta for event in deltas) == " ".join(WORDS)
    assert (done.type, done.text) == ("transcript.text.done", " ".join(WORDS))
    assert [event.logprobs[0].token for event in deltas] == [event.delta for event in deltas]
    assert "".join(token.token for token in done.logprobs) == done.text
    assert bytes(int(byte) for byte in done.logprobs[1].bytes).decode() == f" {WORDS[1]}"


@pytest.mark.filterwarnings("ignore:deprecated")
@pytest.mark.parametrize(
    "format", [*(pytest.param(each, marks=pytest.mark.slow) for each in ("json", "text")), "verbose_json"]
)
def test_a_recording_is_translated_into_english(client, format):
    translation = client.audio.translations.create(file=RECORDING, model="whisper-1", response_format=format)
    text = translation if format == "text" else translation.text
    assert text.split() == [f"english-{word}" for word in WORDS]
    if format == "verbose_json":
        assert (translation.task, translation.language) == ("translate", "english")


@pytest.mark.parametrize("language", ["auto", pytest.param("EN", marks=pytest.mark.slow), "English"])
def test_languages_are_understood_as_clients_write_them(transcribe, language):
    assert transcribe(language=language).text.split() == WORDS


@pytest.mark.parametrize(
    "name", ["whisper-1", "gpt-4o-transcribe", "Systran/faster-whisper-large-v3", "checksum", "tts-1", "kokoro"]
)
def test_every_name_of_a_model_can_be_retrieved(client, name):
    model = client.models.retrieve(name)
    assert (model.id, model.object, model.name) == (name, "model", model.name)
    assert model.kind == ("tts" if name in ("tts-1", "kokoro") else "stt")


def test_an_unknown_model_is_not_found(client):
    with pytest.raises(openai.NotFoundError, match=r"Model “parakeet” not found\."):
        client.models.retrieve("parakeet")


def test_a_wrong_token_is_refused(access):
    unauthorized = openai.OpenAI(base_url=f"{access.url}/v1", api_key="wrong", max_retries=0)
    with pytest.raises(openai.AuthenticationError, match="Authentication failed"):
        unauthorized.models.list()


@pytest.mark.slow
def test_plain_text(transcribe):
    assert transcribe(response_format="text").split() == WORDS


@pytest.mark.slow
def test_a_long_recording_is_transcribed_in_parallel_parts(transcribe):
    pcm = bytearray(noise(1_500))
    pcm[FRAME_BYTES * 748 : FRAME_BYTES * 753] = bytes(FRAME_BYTES * 5)  # a quiet point to split at, between two words
    body = transcribe(
        ("long.wav", wav_of(bytes(pcm))),
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
    )
    assert [word.word for word in body.words] == words_of(bytes(pcm))
    assert [round(word.start, 1) for word in body.words] == [round(0.4 * n, 1) for n in range(300)]
    assert [segment.id for segment in body.segments] == list(range(len(body.segments)))
    assert body.duration == 120


@pytest.mark.slow
def test_words_are_omitted_unless_requested(transcribe):
    body = transcribe(response_format="verbose_json")
    assert (body.words, len(body.segments)) == (None, 3)


@pytest.mark.slow
@pytest.mark.parametrize("format", ["flac", "ogg -c:a flac", "webm -c:a opus", "m4a", "mp3"])
def test_file_formats(transcribe, format, tmp_path):
    wav, (extension, *codec) = tmp_path / "speech.wav", format.split()
    wav.write_bytes(wav_of(PCM))
    file = tmp_path / f"speech.{extension}"
    command = [programs.ffmpeg(), "-nostdin", "-loglevel", "error", "-i", wav, *codec, "-strict", "-2", file]
    subprocess.run(command, check=True)
    words = transcribe(file=file).text.split()
    if "flac" in format:  # the others are lossy
        assert words == WORDS
    else:
        assert abs(len(words) - len(WORDS)) <= 1


@pytest.mark.slow
def test_the_model_can_be_the_name_of_an_engine(client, transcribe):
    assert "checksum" in [model.id for model in client.models.list()]
    assert client.models.retrieve("checksum").id == "checksum"
    assert transcribe(model="checksum", language="en-US").text.split() == WORDS


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "status", "param", "text"),
    [
        ({"model": "parakeet"}, 404, "model", "Available: checksum"),
        ({"response_format": "diarized_json"}, 400, "response_format", "Supported formats: json"),
        ({"timestamp_granularities": ["letter"]}, 400, "timestamp_granularities", "letter"),
        ({"language": "tlh"}, 400, None, "Supported languages: en."),
        ({"file": ("speech.wav", b"This is text.")}, 400, None, "It is a text file."),
        ({"file": ("speech.wav", b"")}, 400, None, "Couldn't read the file as audio"),
        ({"file": ("speech.wav", wav_of(b""))}, 400, None, "no audio"),
    ],
)
def test_invalid_requests_are_refused_with_an_explanation(transcribe, options, status, param, text):
    with pytest.raises(openai.APIStatusError) as refused:
        transcribe(**options)
    assert (refused.value.status_code, refused.value.param) == (status, param)
    assert text in refused.value.message


@pytest.mark.slow
def test_a_token_without_the_scope_stt_is_refused(access):
    tts_only = access_to(access.site, "tts@example.org", "--scopes", "tts")
    client = openai.OpenAI(base_url=f"{access.url}/v1", api_key=tts_only.token, max_retries=0)
    with pytest.raises(openai.PermissionDeniedError, match="lacks the scope “stt”"):
        client.audio.transcriptions.create(file=RECORDING, model="whisper-1")


@pytest.mark.slow
def test_no_session_is_saved(access, transcribe):
    count = "from speech.models import Session; print(Session.objects.count())"
    before = access.site.shell(count)
    transcribe()
    assert access.site.shell(count) == before
