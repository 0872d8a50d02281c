"""Turns of `/v2/listen`."""

import pytest
from django.http import QueryDict

from speech import events
from speech.dialects.deepgram.errors import InvalidParameter
from speech.dialects.deepgram.flux.query import Change, Query
from speech.dialects.deepgram.flux.turns import Turns
from tests.speech.dialects.deepgram.transcripts import kinds, said, steps


class Client:
    def __init__(self, query: str = "", lag: float = 0.0) -> None:
        self.flushes: list[int] = []
        options = Query.of(QueryDict(query))
        self.turns = Turns(options.thresholds, options.formatting, self.flushes.append, lambda: lag)
        self.received: list[dict] = []

    def receives(self, *stream) -> "Client":
        for event in stream:
            self.received += self.turns.on_event(event)
        return self

    @property
    def events(self) -> list[str]:
        return [kind for kind in kinds(self.received) if kind != "Update"]


TALK = (*steps(0, 1, 0.9), events.Partial("good", 0.0, 1.0), *said("Good morning."))


def test_a_turn_ends_after_the_silence_that_its_text_needs():
    client = Client().receives(*TALK, *steps(1, 1.3, 0.0))
    assert (client.events, client.flushes) == (["StartOfTurn"], [])
    client.receives(*steps(1.3, 1.6, 0.0))
    assert client.flushes == [0]
    client.receives(events.Flushed(0))
    end = client.received[-1]
    assert (end["event"], end["trigger"], end["transcript"], end["turn_index"]) == (
        *("EndOfTurn", "model"),
        *("Good morning.", 0),
    )
    assert [word["word"] for word in end["words"]] == ["Good", "morning."]
    assert end["end_of_turn_confidence"] >= 0.7


def test_words_that_are_final_need_no_flush():
    client = Client().receives(*TALK, *steps(1, 1.3, 0.0), events.Endpoint(0, 0.0, 1.0), *steps(1.3, 1.6, 0.0))
    assert (client.events, client.flushes) == (["StartOfTurn", "EndOfTurn"], [])


def test_with_a_lag_the_engine_ends_its_segment_first():
    client = Client(lag=2.0).receives(*TALK, *steps(1, 1.7, 0.0))
    assert (client.events, client.flushes) == (["StartOfTurn"], [])
    client.receives(events.Endpoint(0, 0.0, 1.0), *steps(1.7, 1.8, 0.0))
    assert (client.events, client.flushes) == (["StartOfTurn", "EndOfTurn"], [])


def test_an_unfinished_sentence_needs_more_silence():
    client = Client().receives(*steps(0, 1, 0.9), *said("Good morning and"), *steps(1, 1.9, 0.0))
    assert client.flushes == []
    client.receives(*steps(1.9, 2.6, 0.0))
    assert client.flushes == [0]


def test_an_early_end_is_taken_back_if_the_speaker_goes_on():
    client = Client("eager_eot_threshold=0.4").receives(*TALK, *steps(1, 1.3, 0.0))
    assert client.events == ["StartOfTurn", "EagerEndOfTurn"]
    client.receives(*steps(1.3, 2, 0.9), *said("Everyone.", 1.5, 2), *steps(2, 2.6, 0.0), events.Flushed(0))
    assert client.events == ["StartOfTurn", *("EagerEndOfTurn", "TurnResumed"), "EagerEndOfTurn", "EndOfTurn"]
    assert client.received[-1]["transcript"] == "Good morning. Everyone."


def test_the_text_at_the_end_is_that_of_the_early_end():
    client = Client("eager_eot_threshold=0.4").receives(*TALK, events.Partial("every", 0, 1), *steps(1, 1.5, 0.0))
    client.receives(*steps(1.5, 1.9, 0.0), *said("body.", 0.9, 2), events.Flushed(0))
    assert client.events[-2:] == ["TurnResumed", "EndOfTurn"]
    early = next(message for message in client.received if message["event"] == "EagerEndOfTurn")
    assert early["words"][-1] == {"word": "every", "confidence": 0.5}


def test_a_turn_ends_by_time_or_by_command():
    client = Client("eot_threshold=1.0&eot_timeout_ms=1000").receives(*TALK, *steps(1, 1.9, 0.0))
    assert client.flushes == []
    client.receives(*steps(1.9, 2.2, 0.0), events.Flushed(0))
    assert client.received[-1]["trigger"] == "timeout"
    client.receives(*steps(2.2, 3, 0.9), *said("Bye.", 2.5, 2))
    client.turns.force_end()
    client.receives(events.Flushed(1))
    assert (client.received[-1]["trigger"], client.received[-1]["transcript"]) == ("manual", "Bye.")
    assert client.received[-1]["turn_index"] == 1
    client.turns.force_end()  # there is no turn
    assert client.flushes == [0, 1]


def test_engines_that_predict_pauses_decide_by_themselves():
    pause = [events.Step(step.sample, 0.9, [0.65, 0.1, 0.0, 0.0]) for step in steps(1, 1.08, 0.9)]
    client = Client().receives(*TALK, *pause)
    assert client.flushes == [0]


def test_the_end_of_the_stream_ends_the_turn():
    client = Client().receives(*TALK, events.Done("", 2))
    assert client.events == ["StartOfTurn", "EndOfTurn"]
    assert Client().receives(*steps(0, 1, 0.0), events.Done("", 0)).events == []


def test_updates_come_four_times_a_second():
    updates = [kind for kind in kinds(Client().receives(*steps(0, 4.8, 0.0)).received) if kind == "Update"]
    assert len(updates) == 20


def test_thresholds_can_be_changed():
    client = Client()
    client.turns.thresholds = client.turns.thresholds.changed(Change(eot_threshold=0.9))
    client.receives(*TALK, *steps(1, 1.44, 0.0))
    assert client.flushes == []
    with pytest.raises(InvalidParameter, match=r"0\.5 to 1"):
        client.turns.thresholds.changed(Change(eot_threshold=0.1))


@pytest.mark.parametrize(
    "query",
    [
        *("eot_threshold=0.4", "eager_eot_threshold=0.95", "eot_timeout_ms=100", "keyterm=a", "redact=pci"),
        "eager_eot_threshold=0.8&eot_threshold=0.7",
    ],
)
def test_invalid_values_are_refused(query):
    with pytest.raises(InvalidParameter):
        Query.of(QueryDict(query))
