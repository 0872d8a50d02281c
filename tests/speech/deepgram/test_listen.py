"""The official client speaks into `/v1/listen`."""

from itertools import pairwise

import pytest
from deepgram.core.api_error import ApiError
from websockets.exceptions import InvalidStatus

from tests.inference.speech_like import noise, words_of
from tests.speech.deepgram.conftest import client_of
from tests.support.api import Access, wav_of

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
