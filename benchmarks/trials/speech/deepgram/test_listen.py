"""What takes its time, or real processes that die, of tests/speech/deepgram/test_listen.py."""

import json
from contextlib import suppress

import numpy as np
import pytest
import websockets
from deepgram.core.api_error import ApiError
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.speech.deepgram.conftest import client_of
from tests.speech.deepgram.test_listen import PCM, RAW, WORDS, chunks, finals, listen
from tests.support.api import access_to, wav_of


def test_interim_results_come_before_the_final_ones_to_who_asks_for_them(listen):
    assert all(message.is_final for message in listen(chunks(PCM)) if message.type == "Results")
    messages = [message for message in listen(chunks(PCM), interim_results="true") if message.type == "Results"]
    kinds = [message.is_final for message in messages]
    assert kinds.index(False) < kinds.index(True)
    assert finals(messages) == WORDS
    before_the_first_final = messages[: kinds.index(True)]
    assert before_the_first_final[-1].channel.alternatives[0].transcript.startswith(" ".join(WORDS[:4]))


def test_an_utterance_ends_where_the_speaker_pauses(listen):
    messages = listen(chunks(PCM), utterance_end_ms=1000, vad_events="true")
    ends = [message.last_word_end for message in messages if message.type == "UtteranceEnd"]
    assert [round(end, 2) for end in ends] == [2.0, 4.0, 4.96]
    assert sum(bool(message.speech_final) for message in messages if message.type == "Results") == 3
    assert messages[0].type == "SpeechStarted"


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


def test_two_channels_are_mixed(listen):
    stereo = np.repeat(np.frombuffer(PCM, "<i2"), 2).tobytes()
    assert len(finals(listen(chunks(stereo), channels=2))) == len(WORDS)


def test_a_wav_file_may_be_sent_as_it_lies(access):
    uri = f"{access.url.replace('http', 'ws')}/v1/listen?model=nova-3"
    with connect(uri, additional_headers={"Authorization": f"Token {access.token}"}) as socket:
        socket.send(wav_of(PCM))
        socket.send(json.dumps({"type": "CloseStream"}))
        told = [json.loads(message) for message in socket]
    heard = " ".join(m["channel"]["alternatives"][0]["transcript"] for m in told if m["type"] == "Results")
    assert heard.split() == WORDS


def test_a_browser_names_its_token_among_the_subprotocols(access):
    uri = f"{access.url.replace('http', 'ws')}/v1/listen?encoding=linear16&sample_rate=24000"
    with connect(uri, subprotocols=["token", access.token]) as socket:
        assert socket.subprotocol == "token"


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


def test_a_text_that_makes_no_sense_is_a_protocol_error(access):
    uri = f"{access.url.replace('http', 'ws')}/v1/listen?encoding=linear16"
    with connect(uri, additional_headers=access.headers) as socket:
        socket.send("hello")
        assert json.loads(socket.recv())["type"] == "Error"
        with pytest.raises(websockets.ConnectionClosed) as closed:
            socket.recv()
        assert closed.value.rcvd.code == 4008


def test_a_token_that_may_only_speak_does_not_come_in(access):
    mute = access_to(access.site, "tts@example.org", "--scopes", "tts")
    with pytest.raises((ApiError, InvalidStatus)), client_of(mute).listen.v1.connect(**RAW):
        pass


def test_a_recording_somewhere_else_is_not_fetched(client):
    with pytest.raises(ApiError) as refused:
        client.listen.v1.media.transcribe_url(url="http://127.0.0.1/speech.wav", model="nova-3")
    assert refused.value.status_code == 400
    assert "fetches nothing" in refused.value.body["err_msg"]
