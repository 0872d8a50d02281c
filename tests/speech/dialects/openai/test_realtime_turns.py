"""Turns of a Realtime session, from the events of a stream: which words are of which turn, and in which order the
client gets its events. Frames are 80 ms."""

import pytest

from inference.messages import FRAME_SAMPLES, SAMPLE_RATE
from speech.dialects.openai.realtime.items import LOGPROBS, TRANSCRIPTION, Items
from speech.dialects.openai.realtime.session import Session
from speech.dialects.openai.realtime.turn_detection import TurnDetection
from speech.events import Done, Flushed, Step, Word

DEFAULT = TurnDetection()
SHORT = {
    "input_audio_buffer.": "",
    f"{TRANSCRIPTION}.": "",
    "conversation.item.": "item ",
}


class Client:
    """What a client gets for frames of speech (a letter per word, which lasts a frame) and of silence (spaces)."""

    def __init__(self, turn_detection=DEFAULT, model="gpt-4o-transcribe", delay=0, is_beta=False, include=()):
        """`delay`: frames by which words come later."""
        session = Session("session", model, engine="", turn_detection=turn_detection, include=include)
        self.items = Items(session, is_beta)
        self.received = []
        self._delay = delay
        self._speech = ""
        self._emitted = 0

    def hear(self, speech, activity=1.0):
        for letter in speech:
            self._speech += letter
            until = len(self._speech) - self._delay
            self._emit_words(until)
            voice = activity if letter != " " else 0.0
            self._on(Step(FRAME_SAMPLES * len(self._speech), voice), max(0, until))
        return self

    def commit(self):
        self.received += self.items.commit(len(self._speech) * 0.08)
        return self

    def clear(self):
        self.items.clear()
        return self

    def flushed(self):
        self._emit_words(len(self._speech))
        self._on(Flushed(0), len(self._speech))
        return self

    def done(self):
        self._emit_words(len(self._speech))
        self._on(Done("", 0), len(self._speech))
        return self

    def _emit_words(self, until):
        while self._emitted < until:
            letter, start = self._speech[self._emitted], 0.08 * self._emitted
            self._emitted += 1
            if letter != " ":
                self._on(Word(self._words, 0, letter, start, start + 0.08, 0.5), 0)

    @property
    def _words(self):
        return self._emitted - 1 - self._speech[: self._emitted].count(" ")

    def _on(self, event, words_until):
        self.received += self.items.on_event(event, words_until * FRAME_SAMPLES)

    @property
    def types(self):
        return [short(event["type"]) for event in self.received]

    def all(self, type):
        return [event for event in self.received if short(event["type"]) == type]

    @property
    def transcripts(self):
        return [event["transcript"].replace(" ", "") for event in self.all("completed")]


def short(type):
    for prefix, replacement in SHORT.items():
        if type.startswith(prefix):
            return replacement + type.removeprefix(prefix)
    return type


SILENCE = " " * 8
COMMITTED = ["speech_stopped", "committed", "item added", "item done"]


def test_the_words_of_a_turn_follow_its_commit():
    client = Client().hear("abcd" + SILENCE)
    assert client.types == ["speech_started", *COMMITTED, *["delta"] * 4, "completed"]
    assert len({event["item_id"] for event in client.received if "item_id" in event}) == 1
    assert client.transcripts == ["abcd"]


@pytest.mark.parametrize("model", ["gpt-realtime-whisper", "gpt-live-transcribe"])
def test_models_that_transcribe_live_send_words_before_the_commit(model):
    client = Client(model=model).hear("abcd" + SILENCE)
    assert client.types == ["speech_started", *["delta"] * 4, *COMMITTED, "completed"]


def test_words_that_come_late_belong_to_the_turn_in_which_they_begin():
    client = Client(delay=12).hear("abcd" + SILENCE + "efgh" + SILENCE * 3)
    assert client.transcripts == ["abcd", "efgh"]
    assert client.types.index("completed") > [n for n, type in enumerate(client.types) if type == "speech_started"][1]
    first, second = client.all("committed")
    assert second["previous_item_id"] == first["item_id"]


def test_a_turn_is_completed_as_soon_as_all_its_words_have_come():
    client = Client(delay=12).hear("abcd" + SILENCE + "   ")
    assert client.types[-3:] == ["delta"] * 3
    assert client.hear(" ").transcripts == ["abcd"]


@pytest.mark.parametrize(("silence_ms", "frames"), [(0, 1), (200, 3), (500, 7), (2_000, 25)])
def test_the_silence_that_ends_a_turn_is_the_clients(silence_ms, frames):
    client = Client(TurnDetection(silence_duration_ms=silence_ms)).hear("abcd" + " " * (frames - 1))
    assert "speech_stopped" not in client.types
    client.hear(" ")
    assert client.all("speech_stopped")[0]["audio_end_ms"] == 80 * (4 + frames)


def test_the_padding_before_a_turn_is_the_clients():
    starts = [
        Client(TurnDetection(prefix_padding_ms=padding)).hear(SILENCE * 2 + "ab").all("speech_started")
        for padding in (0, 300, 10_000)
    ]
    assert [events[0]["audio_start_ms"] for events in starts] == [1280, 980, 0]


def test_the_threshold_of_voice_is_the_clients():
    quiet = 0.6
    assert Client(TurnDetection(threshold=0.5)).hear("....", quiet).types == ["speech_started"]
    detector = Client(TurnDetection(threshold=0.7), delay=100).hear("....", quiet)
    assert detector.types == []  # until there are words


def test_quiet_speech_that_has_words_is_not_lost():
    client = Client(TurnDetection(threshold=0.9)).hear("abcd" + SILENCE, 0.5)
    assert client.transcripts == ["abcd"]


def test_a_short_noise_begins_no_turn():
    assert Client(delay=100).hear(" . .  ").types == []


@pytest.mark.parametrize(
    ("eagerness", "text", "frames"),
    [("high", "stop.", 4), ("auto", "stop.", 5), ("low", "stop.", 10), ("high", "and", 14), ("low", "and", 38)],
)
def test_semantic_detection_waits_longer_after_an_unfinished_sentence(eagerness, text, frames):
    client = Client(TurnDetection("semantic_vad", eagerness=eagerness))
    for item in (Step(FRAME_SAMPLES, 1.0), Step(2 * FRAME_SAMPLES, 1.0), Word(0, 0, text, 0.0, 0.16, 1.0)):
        client._on(item, 0)
    for frame in range(3, 3 + frames - 1):
        client._on(Step(frame * FRAME_SAMPLES, 0.0), 0)
    assert "committed" not in client.types
    client._on(Step((frames + 2) * FRAME_SAMPLES, 0.0), 0)
    assert "committed" in client.types


# --- Commit and clear -------------------------------------------------------------------------------------------------


def test_without_turn_detection_only_the_client_ends_turns():
    client = Client(None).hear("abcd" + SILENCE * 3 + "ef").commit()
    assert client.types == ["committed", "item added", "item done", *["delta"] * 6]
    client.hear("gh").flushed().commit().flushed()
    assert client.transcripts == ["abcdefgh", ""]


def test_a_commit_with_turn_detection_follows_the_turns_before_it():
    client = Client(delay=4).hear("abcd").commit()
    assert "committed" not in client.types
    client.hear(SILENCE + "ef").flushed()
    assert client.transcripts == ["abcd", "ef"]


def test_a_cleared_turn_has_no_words_and_the_next_one_has_all():
    client = Client(delay=4).hear("abcd").clear().flushed().hear("efgh" + SILENCE)
    assert client.transcripts == ["efgh"]


def test_a_clear_leaves_turns_before_it():
    client = Client(delay=16).hear("abcd" + SILENCE + "ef").clear().flushed()
    assert client.transcripts == ["abcd"]
    assert client.hear("gh" + SILENCE * 3).transcripts == ["abcd", "gh"]


@pytest.mark.parametrize("turn_detection", [None, TurnDetection()])
def test_a_clear_right_after_a_commit_leaves_what_was_committed(turn_detection):
    client = Client(turn_detection, delay=100).hear("ab").commit().clear().commit()
    client.flushed().hear("cd").flushed().hear("ef").flushed()
    assert client.transcripts == ["ab", "ef"]


def test_the_end_of_the_stream_completes_everything():
    client = Client(delay=100).hear("abcd" + SILENCE + "ef").done()
    assert client.transcripts == ["abcd", "ef"]


# --- Fields -----------------------------------------------------------------------------------------------------------


def test_the_beta_has_one_event_for_a_new_item():
    client = Client(is_beta=True).hear("abcd" + SILENCE)
    assert client.types[1:4] == ["speech_stopped", "committed", "item created"]


def test_log_probabilities_make_the_text():
    client = Client(include=(LOGPROBS,)).hear("abcd" + SILENCE)
    deltas, (completed,) = client.all("delta"), client.all("completed")
    assert [event["logprobs"][0]["token"] for event in deltas] == [event["delta"] for event in deltas]
    assert "".join(token["token"] for token in completed["logprobs"]) == completed["transcript"] == "a b c d"


@pytest.mark.parametrize(
    ("model", "usage"),
    [
        ("whisper-1", {"type": "duration", "seconds": 1}),
        (
            "gpt-4o-transcribe",
            {
                "type": "tokens",
                "input_tokens": 9,
                "output_tokens": 4,
                "total_tokens": 13,
                "input_token_details": {"audio_tokens": 9, "text_tokens": 0},
            },
        ),
    ],
)
def test_usage_is_in_the_unit_of_the_model(model, usage):
    assert Client(model=model).hear("abcd" + SILENCE).all("completed")[0]["usage"] == usage


def test_a_word_that_comes_again_from_another_engine_is_ignored():
    client = Client().hear("abcd")
    client._on(Word(1, 0, "other", 0.08, 0.16, 1.0), 0)
    client._on(Step(SAMPLE_RATE // 25, 1.0), 0)
    assert client.hear(SILENCE).transcripts == ["abcd"]
