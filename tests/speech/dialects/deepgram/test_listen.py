"""Deepgram's official client with `/v1/listen`."""

import json
from itertools import pairwise

import numpy as np
import pytest
import websockets
from deepgram.core.api_error import ApiError
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.speech.dialects.deepgram.conftest import client_of
from tests.support.clients.api import Access, access_to, wav_of
from tests.support.speech.checksum_audio import noise, words_of

PCM = noise(62)
WORDS = words_of(PCM)
RAW = {"model": "nova-3", "encoding": "linear16", "sample_rate": 24_000}
CHUNK = 4_801  # bytes: splits samples


def chunks(pcm):
    return [pcm[i : i + CHUNK] for i in range(0, len(pcm), CHUNK)]


def finals(messages):
    """The words of the final results, whose spans must be contiguous."""
    results = [message for message in messages if message.type == "Results" and message.is_final]
    assert all(abs(one.start + one.duration - other.start) < 0.01 for one, other in pairwise(results))
    return " ".join(message.channel.alternatives[0].transcript for message in results).split()


@pytest.fixture
def listen(client):
    """Function that sends a whole stream and returns all messages."""

    def listen(audio, **query):
        with client.listen.v1.connect(**{**RAW, **query}) as socket:
            for chunk in audio:
                socket.send_media(chunk)
            socket.send_close_stream()
            return list(socket)

    return listen


def test_final_results_have_every_word_once_with_its_times(listen):
    messages = listen(chunks(PCM))
    assert finals(messages) == WORDS
    first = messages[0].channel.alternatives[0]
    assert [(word.word, round(word.start, 2)) for word in first.words][:2] == [(WORDS[0], 0.0), (WORDS[1], 0.4)]
    assert [message.type for message in messages if message.type != "Results"] == ["Metadata"]
    assert (messages[-1].type, round(messages[-1].duration, 2)) == ("Metadata", 4.96)


def test_finalize_completes_the_words_so_far_and_the_stream_continues(client):
    first, second = PCM[: 3840 * 7], PCM[3840 * 7 :]
    with client.listen.v1.connect(**RAW) as socket:
        socket.send_media(first)
        socket.send_finalize()
        received = [socket.recv()]
        while not received[-1].from_finalize:
            received.append(socket.recv())
        assert finals(received) == words_of(first)
        socket.send_keep_alive()
        socket.send_media(second)
        socket.send_close_stream()
        assert finals(list(socket)) == words_of(second)


def test_a_wrong_token_is_refused(access):
    with pytest.raises(InvalidStatus, match="401"), client_of(Access(access.site, "wrong")).listen.v1.connect(**RAW):
        pass


def test_a_recording_is_transcribed(client):
    response = client.listen.v1.media.transcribe_file(request=wav_of(PCM), model="nova-3", utterances=True)
    alternative = response.results.channels[0].alternatives[0]
    assert alternative.transcript.split() == WORDS
    assert [round(word.start, 2) for word in alternative.words][:3] == [0.0, 0.4, 0.8]
    assert [utterance.transcript.split() for utterance in response.results.utterances] == [
        WORDS[:5],
        WORDS[5:10],
        WORDS[10:],
    ]
    assert round(response.metadata.duration, 2) == 4.96


@pytest.mark.slow
def test_interim_results_precede_final_ones_if_requested(listen):
    assert all(message.is_final for message in listen(chunks(PCM)) if message.type == "Results")
    messages = [message for message in listen(chunks(PCM), interim_results="true") if message.type == "Results"]
    kinds = [message.is_final for message in messages]
    assert kinds.index(False) < kinds.index(True)
    assert finals(messages) == WORDS
    before_the_first_final = messages[: kinds.index(True)]
    assert before_the_first_final[-1].channel.alternatives[0].transcript.startswith(" ".join(WORDS[:4]))


@pytest.mark.slow
def test_an_utterance_ends_with_a_segment(listen):
    messages = listen(chunks(PCM), vad_events="true")
    assert sum(bool(message.speech_final) for message in messages if message.type == "Results") == 3
    assert messages[0].type == "SpeechStarted"
    messages = listen(chunks(PCM), endpointing="false")
    assert finals(messages) == WORDS
    assert not any(message.speech_final for message in messages[:-2] if message.type == "Results")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("encoding", "rate"), [("linear16", 8_000), ("linear16", 48_000), ("mulaw", 8_000), ("alaw", 8_000)]
)
def test_encodings_and_sample_rates(listen, encoding, rate):
    seconds = 4
    samples = (np.sin(np.arange(seconds * rate) / 20) * 8_000).astype("<i2")
    raw = samples.tobytes() if encoding == "linear16" else samples.astype(np.uint8).tobytes()
    messages = listen(chunks(raw), encoding=encoding, sample_rate=rate)
    assert abs(messages[-1].duration - seconds) < 0.1
    assert len(finals(messages)) == seconds / 0.4


@pytest.mark.slow
def test_two_channels_are_mixed(listen):
    stereo = np.repeat(np.frombuffer(PCM, "<i2"), 2).tobytes()
    assert len(finals(listen(chunks(stereo), channels=2))) == len(WORDS)


@pytest.mark.slow
def test_a_wav_file_can_be_sent_without_encoding(access):
    uri = f"{access.url.replace('http', 'ws')}/v1/listen?model=nova-3"
    with connect(uri, additional_headers={"Authorization": f"Token {access.token}"}) as socket:
        socket.send(wav_of(PCM))
        socket.send(json.dumps({"type": "CloseStream"}))
        received = [json.loads(message) for message in socket]
    text = " ".join(m["channel"]["alternatives"][0]["transcript"] for m in received if m["type"] == "Results")
    assert text.split() == WORDS


@pytest.mark.slow
def test_the_token_can_be_a_subprotocol(access):
    uri = f"{access.url.replace('http', 'ws')}/v1/listen?encoding=linear16&sample_rate=24000"
    with connect(uri, subprotocols=["token", access.token]) as socket:
        assert socket.subprotocol == "token"


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({"model": "parakeet"}, "Available engines: checksum"),
        ({"language": "tlh"}, "Supported languages: en."),
        ({"encoding": "speex"}, "Supported: linear16"),
        ({"sample_rate": "1"}, "Supported: 8000 to 192000"),
        ({"sample_rate": "many"}, "It is a number."),
        ({"diarize": "true"}, "“diarize” isn't supported."),
        ({"utterance_end_ms": "500"}, "Supported: 1000 to 60000."),
    ],
)
def test_an_invalid_query_denies_the_handshake(client, query, text):
    with pytest.raises(InvalidStatus) as denied, client.listen.v1.connect(**{**RAW, **query}):
        pass
    response = denied.value.response
    assert response.status_code == 400
    error = json.loads(response.body)
    assert error["err_code"] == "Bad Request"
    assert text in error["err_msg"]
    assert response.headers["dg-request-id"] == error["request_id"]


def test_a_denied_token_is_reported_with_its_status(access):
    uri = f"{access.url.replace('http', 'ws')}/v1/listen"
    with pytest.raises(InvalidStatus) as denied, connect(uri, additional_headers={"Authorization": "Token wrong"}):
        pass
    assert denied.value.response.status_code == 401
    assert json.loads(denied.value.response.body)["err_code"] == "INVALID_AUTH"


@pytest.mark.slow
def test_an_invalid_text_message_is_a_protocol_error(access):
    uri = f"{access.url.replace('http', 'ws')}/v1/listen?encoding=linear16"
    with connect(uri, additional_headers=access.headers) as socket:
        socket.send("hello")
        assert json.loads(socket.recv())["type"] == "Error"
        with pytest.raises(websockets.ConnectionClosed) as closed:
            socket.recv()
        assert closed.value.rcvd.code == 4008


@pytest.mark.slow
def test_a_token_without_the_scope_stt_is_refused(access):
    tts_only = access_to(access.site, "tts@example.org", "--scopes", "tts")
    with pytest.raises((ApiError, InvalidStatus)), client_of(tts_only).listen.v1.connect(**RAW):
        pass


def test_a_recording_at_a_private_address_is_not_fetched(client):
    with pytest.raises(ApiError) as refused:
        client.listen.v1.media.transcribe_url(url="http://127.0.0.1/speech.wav", model="nova-3")
    assert (refused.value.status_code, refused.value.body["err_code"]) == (400, "REMOTE_CONTENT_ERROR")
    assert "doesn't have a public address" in refused.value.body["err_msg"]
