"""Deepgram's official client with `/v2/listen`."""

import pytest
from websockets.exceptions import InvalidStatus

from tests.support.speech.checksum_audio import noise, words_of

PCM = noise(30)
RAW = {"model": "flux-general-en", "encoding": "linear16", "sample_rate": 24_000}


def test_turns_have_every_word_once(client):
    first, second = PCM[: 3840 * 15], PCM[3840 * 15 :]
    with client.listen.v2.connect(**RAW) as socket:
        assert socket.recv().type == "Connected"
        socket.send_configure({"type": "Configure", "thresholds": {"eot_threshold": 0.8}})
        socket.send_media(first)
        received = [socket.recv()]
        while len(getattr(received[-1], "words", [])) < 3:
            received.append(socket.recv())
        socket.send_force_end_turn()
        socket.send_media(second)
        socket.send_close_stream()
        received += socket
    assert [message.sequence_id for message in received] == list(range(1, len(received) + 1))
    configured = next(message for message in received if message.type == "ConfigureSuccess")
    assert configured.thresholds.eot_threshold == 0.8
    turns = [message for message in received if message.type == "TurnInfo" and message.event == "EndOfTurn"]
    assert [turn.turn_index for turn in turns] == list(range(len(turns)))
    assert turns[0].trigger == "manual"
    assert " ".join(turn.transcript for turn in turns).split() in (words_of(PCM), words_of(first) + words_of(second))
    assert received[0].type in ("ConfigureSuccess", "TurnInfo")


def test_an_invalid_threshold_denies_the_handshake(client):
    with pytest.raises(InvalidStatus, match="400"), client.listen.v2.connect(**RAW, eot_threshold=3):
        pass


@pytest.mark.slow
def test_an_invalid_change_is_refused_and_the_stream_continues(client):
    with client.listen.v2.connect(**RAW) as socket:
        socket.recv()
        socket.send_configure({"type": "Configure", "keyterms": ["Kyutai"]})
        socket.send_configure({"type": "Configure", "thresholds": {"eot_timeout_ms": 1}})
        assert [socket.recv().type, socket.recv().type] == ["ConfigureFailure"] * 2
        socket.send_media(PCM)
        socket.send_close_stream()
        *_, last = socket
    assert (last.event, last.transcript.split()) == ("EndOfTurn", words_of(PCM))
