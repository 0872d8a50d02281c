"""Results of `/v1/listen`, and what its parameters change."""

import pytest
from django.http import QueryDict

from speech import events
from speech.batch.transcription import Transcription
from speech.dialects.deepgram.errors import InvalidParameter
from speech.dialects.deepgram.listen.paragraphs import paragraphs, utterances
from speech.dialects.deepgram.listen.query import UNSUPPORTED, UNSUPPORTED_LIVE, Query
from speech.dialects.deepgram.listen.results import Results
from speech.dialects.deepgram.messages import Request
from tests.speech.dialects.deepgram.transcripts import said, steps


class Client:
    """What a client of the query gets for the events of a stream."""

    def __init__(self, query: str) -> None:
        self.received: list[dict] = []
        self._results = Results(Request(), Query.of_live(QueryDict(query)))

    def receives(self, *stream, words_until: float = 0.0) -> "Client":
        for event in stream:
            self.received += self._results.on_event(event, words_until)
        return self

    @property
    def finals(self) -> list[tuple[str, bool]]:
        """Text of each final result, and whether it ends an utterance."""
        results = [message for message in self.received if message.get("is_final")]
        return [(each["channel"]["alternatives"][0]["transcript"], each["speech_final"]) for each in results]

    @property
    def types(self) -> list[str]:
        return [message["type"] for message in self.received]


def test_by_default_the_engine_ends_utterances():
    client = Client("").receives(*steps(0, 1, 0.9), *said("Good morning."), events.Endpoint(0, 0.0, 1.0))
    assert client.finals == [("Good morning.", True)]


def test_a_shorter_endpointing_than_the_engines_ends_utterances_with_its_segments():
    client = Client("endpointing=25").receives(*steps(0, 1, 0.9), *said("Good morning."), *steps(1, 1.7, 0.0))
    assert client.finals == []
    client.receives(events.Endpoint(0, 0.0, 1.0), *steps(1.7, 3, 0.0))
    assert client.finals == [("Good morning.", True)]


def test_a_longer_endpointing_ends_the_utterance_after_the_segment():
    client = Client("endpointing=1000").receives(*steps(0, 1, 0.9), *said("Good morning."), *steps(1, 1.6, 0.0))
    client.receives(events.Endpoint(0, 0.0, 1.0))
    assert client.finals == [("Good morning.", False)]
    client.receives(*steps(1.6, 4, 0.0))
    assert client.finals == [("Good morning.", False), ("", True)]


def test_an_utterance_that_goes_on_before_the_endpointing_is_one():
    client = Client("endpointing=1000").receives(*steps(0, 1, 0.9), *said("Good morning."), *steps(1, 1.8, 0.0))
    client.receives(events.Endpoint(0, 0.0, 1.0), *steps(1.8, 2.6, 0.9), *said("Ada.", 1.9, 2), *steps(2.6, 4, 0.0))
    client.receives(events.Endpoint(1, 1.9, 2.1))
    assert client.finals == [("Good morning.", False), ("Ada.", True)]


def test_noise_without_words_ends_no_utterance():
    assert Client("endpointing=100").receives(*steps(0, 1, 0.9), *steps(1, 3, 0.0)).finals == []


def test_without_endpointing_only_the_end_of_the_stream_ends_an_utterance():
    client = Client("endpointing=false").receives(*steps(0, 1, 0.9), *said("Good morning."), *steps(1, 9, 0.0))
    client.receives(events.Endpoint(0, 0.0, 1.0), *said("Bye.", 4, 2), events.Done("", 3))
    assert client.finals == [("Good morning.", False), ("Bye.", True)]


def test_a_gap_between_words_ends_an_utterance_once():
    client = Client("utterance_end_ms=1000").receives(*said("Good morning."), events.Endpoint(0, 0.0, 0.5))
    client.receives(*steps(0.5, 1.4, 0.9), words_until=1.4)
    assert "UtteranceEnd" not in client.types
    client.receives(*steps(1.4, 3, 0.9), words_until=1.6)  # noise, in which there are no words
    assert client.types.count("UtteranceEnd") == 1
    assert client.received[-1]["last_word_end"] == 0.45
    client.receives(*said("And", 3, 2), *said("later.", 5, 3))  # the gap is known only with the next word
    assert client.types[-2:] == ["Results", "UtteranceEnd"]
    assert client.finals[-1] == ("And", False)


def test_text_without_punctuation():
    client = Client("punctuate=false").receives(*said("Well, good “morning”!"), events.Endpoint(0, 0.0, 1.0))
    assert client.finals == [("well good morning", True)]
    word = client.received[0]["channel"]["alternatives"][0]["words"][0]
    assert word["word"] == "well"
    assert "punctuated_word" not in word
    kept = Client("punctuate=false&smart_format=true").receives(*said("Well, yes."), events.Endpoint(0, 0.0, 1.0))
    assert kept.finals == [("Well, yes.", True)]


def test_profanity_is_masked():
    client = Client("profanity_filter=true").receives(*said("What the fucking shit."), events.Endpoint(0, 0.0, 1.0))
    assert client.finals == [("What the f****** s***.", True)]


@pytest.mark.parametrize("name", [*UNSUPPORTED, *UNSUPPORTED_LIVE])
def test_features_that_engines_lack_are_refused_but_may_be_turned_off(name):
    with pytest.raises(InvalidParameter, match=f"“{name}” isn't supported."):
        Query.of_live(QueryDict(f"{name}=true"))
    Query.of_live(QueryDict(f"{name}=false"))


@pytest.mark.parametrize(
    "query",
    [
        *("interim_results=maybe", "endpointing=soon", "endpointing=-1", "utterance_end_ms=10", "utterance_end_ms=x"),
        *("punctuate=2", "alternatives=3", "language_hint=en&language_hint=fr", "utterance_end_ms=nan"),
    ],
)
def test_invalid_values_are_refused(query):
    with pytest.raises(InvalidParameter):
        Query.of_live(QueryDict(query))


def test_a_single_hint_is_the_language():
    assert Query.of_live(QueryDict("language=multi&language_hint=fr")).language == "fr"


TRANSCRIPT = Transcription([*said("One. Two. Three."), *said("Four. Five. Six. Seven. Eight. Nine", 4, 3)])


def test_paragraphs_end_at_pauses_and_after_five_sentences():
    found = paragraphs(TRANSCRIPT.words, Query.of_recording(QueryDict("")).formatting)
    assert found["transcript"] == "\nOne. Two. Three.\n\nFour. Five. Six. Seven. Eight.\n\nNine"
    assert [each["num_words"] for each in found["paragraphs"]] == [3, 5, 1]
    assert found["paragraphs"][1]["sentences"][0] == {"text": "Four.", "start": 4.0, "end": 4.2}


def test_utterances_are_split_at_pauses_of_the_length_that_is_asked_for():
    split = Query.of_recording(QueryDict("utterances=true&utt_split=2"))
    assert [each["transcript"] for each in utterances(TRANSCRIPT, split)] == [
        "One. Two. Three.",
        "Four. Five. Six. Seven. Eight. Nine",
    ]
    assert len(utterances(TRANSCRIPT, Query.of_recording(QueryDict("")))) == 1
    assert utterances(Transcription(), split) == []


def test_tags_and_extras_come_back_in_the_metadata():
    query = Query.of_live(QueryDict("tag=a&tag=b&extra=customer:7"))
    metadata = Request(query.tags, query.extra).metadata(1.0, "")
    assert (metadata["tags"], metadata["extra"]) == (["a", "b"], {"customer": "7"})
