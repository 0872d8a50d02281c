"""The official client speaks into `/v1/listen`."""

import json
from contextlib import suppress
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
CHUNK = 4_801  # bytes: samples are cut in two


def chunks(pcm):
    return [pcm[i : i + CHUNK] for i in range(0, len(pcm), CHUNK)]


def finals(messages):
    """The words of what is final; each word once, each span after the one before."""
    told = [message for message in messages if message.type == "Results" and message.is_final]
    assert all(abs(one.start + one.duration - other.start) < 0.01 for one, other in pairwise(told))
    return " ".join(message.channel.alternatives[0].transcript for message in told).split()


@pytest.fixture
def listen(client):
    """Everything that is told of some audio from its beginning to its end."""

    def listen(pieces, **query):
        with client.listen.v1.connect(**{**RAW, **query}) as socket:
            for piece in pieces:
                socket.send_media(piece)
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


def test_finalize_brings_out_what_was_said_so_far_and_goes_on(client):
    first, second = PCM[: 3840 * 7], PCM[3840 * 7 :]
    with client.listen.v1.connect(**RAW) as socket:
        socket.send_media(first)
        socket.send_finalize()
        told = [socket.recv()]
        while not told[-1].from_finalize:
            told.append(socket.recv())
        assert finals(told) == words_of(first)
        socket.send_keep_alive()
        socket.send_media(second)
        socket.send_close_stream()
        assert finals(list(socket)) == words_of(second)


def test_a_wrong_token_does_not_come_in(access):
    with pytest.raises((ApiError, InvalidStatus)), client_of(Access(access.site, "wrong")).listen.v1.connect(**RAW):
        pass


def test_a_recording(client):
    told = client.listen.v1.media.transcribe_file(request=wav_of(PCM), model="nova-3", utterances=True)
    heard = told.results.channels[0].alternatives[0]
    assert heard.transcript.split() == WORDS
    assert [round(word.start, 2) for word in heard.words][:3] == [0.0, 0.4, 0.8]
    assert [utterance.transcript.split() for utterance in told.results.utterances] == [
        WORDS[:5],
        WORDS[5:10],
        WORDS[10:],
    ]
    assert round(told.metadata.duration, 2) == 4.96


@pytest.mark.slow
def test_interim_results_come_before_the_final_ones_to_who_asks_for_them(listen):
    assert all(message.is_final for message in listen(chunks(PCM)) if message.type == "Results")
    messages = [message for message in listen(chunks(PCM), interim_results="true") if message.type == "Results"]
    kinds = [message.is_final for message in messages]
    assert kinds.index(False) < kinds.index(True)
    assert finals(messages) == WORDS
    before_the_first_final = messages[: kinds.index(True)]
    assert before_the_first_final[-1].channel.alternatives[0].transcript.startswith(" ".join(WORDS[:4]))


@pytest.mark.slow
def test_an_utterance_ends_where_the_speaker_pauses(listen):
    messages = listen(chunks(PCM), utterance_end_ms=1000, vad_events="true")
    ends = [message.last_word_end for message in messages if message.type == "UtteranceEnd"]
    assert [round(end, 2) for end in ends] == [2.0, 4.0, 4.96]
    assert sum(bool(message.speech_final) for message in messages if message.type == "Results") == 3
    assert messages[0].type == "SpeechStarted"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("encoding", "rate"), [("linear16", 8_000), ("linear16", 48_000), ("mulaw", 8_000), ("alaw", 8_000)]
)
def test_audio_of_telephones(listen, encoding, rate):
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
def test_a_wav_file_may_be_sent_as_it_lies(access):
    uri = f"{access.url.replace('http', 'ws')}/v1/listen?model=nova-3"
    with connect(uri, additional_headers={"Authorization": f"Token {access.token}"}) as socket:
        socket.send(wav_of(PCM))
        socket.send(json.dumps({"type": "CloseStream"}))
        told = [json.loads(message) for message in socket]
    heard = " ".join(m["channel"]["alternatives"][0]["transcript"] for m in told if m["type"] == "Results")
    assert heard.split() == WORDS


@pytest.mark.slow
def test_a_browser_names_its_token_among_the_subprotocols(access):
    uri = f"{access.url.replace('http', 'ws')}/v1/listen?encoding=linear16&sample_rate=24000"
    with connect(uri, subprotocols=["token", access.token]) as socket:
        assert socket.subprotocol == "token"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"model": "parakeet"}, "Running are: checksum"),
        ({"language": "tlh"}, "They know: en."),
        ({"encoding": "speex"}, "Known are: linear16"),
        ({"sample_rate": "1"}, "It may be 8000 to 192000"),
        ({"sample_rate": "many"}, "whole number"),
    ],
)
def test_what_cannot_be_is_told_before_the_socket_is_closed(client, query, words):
    told = []
    with suppress(websockets.ConnectionClosedError), client.listen.v1.connect(**{**RAW, **query}) as socket:
        told += socket
    assert [message.type for message in told] == ["Error"]
    assert words in told[0].message


@pytest.mark.slow
def test_a_text_that_makes_no_sense_is_a_protocol_error(access):
    uri = f"{access.url.replace('http', 'ws')}/v1/listen?encoding=linear16"
    with connect(uri, additional_headers=access.headers) as socket:
        socket.send("hello")
        assert json.loads(socket.recv())["type"] == "Error"
        with pytest.raises(websockets.ConnectionClosed) as closed:
            socket.recv()
        assert closed.value.rcvd.code == 4008


@pytest.mark.slow
def test_a_token_that_may_only_speak_does_not_come_in(access):
    mute = access_to(access.site, "tts@example.org", "--scopes", "tts")
    with pytest.raises((ApiError, InvalidStatus)), client_of(mute).listen.v1.connect(**RAW):
        pass


@pytest.mark.slow
def test_a_recording_somewhere_else_is_not_fetched(client):
    with pytest.raises(ApiError) as refused:
        client.listen.v1.media.transcribe_url(url="http://127.0.0.1/speech.wav", model="nova-3")
    assert refused.value.status_code == 400
    assert "fetches nothing" in refused.value.body["err_msg"]
