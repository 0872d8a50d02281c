"""What counts as said, by the client's reports."""

from collections import deque

import pytest

from inference.messages import SAMPLE_RATE
from speech import events
from speech.dialogue.replies.playback import OFFSET_TOLERANCE, Playback


class FinishedReply:
    """A reply of three words of a second each, all of it sent."""

    number = 1
    is_complete = True
    frames: deque = deque()
    words = [events.SpokenWord(text, 0, start, start + 1.0) for start, text in enumerate(["One", "two", "three."])]


@pytest.fixture
def playback():
    playback = Playback(FinishedReply(), lambda event: None)
    playback._send(bytes(3 * 2 * SAMPLE_RATE))
    return playback


def played(playback, seconds, at=None):
    sample = int(seconds * SAMPLE_RATE)
    return playback.on_played(sample, 10 * SAMPLE_RATE + sample if at is None else int(at * SAMPLE_RATE))


def texts(playback):
    return [word.text for word in playback.said()]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, []), (0.9, []), (1.0, ["One—"]), (2.5, ["One", "two—"]), (3.0, ["One", "two", "three."])],
)
def test_a_word_counts_once_all_of_it_was_played(playback, seconds, said):
    played(playback, seconds)
    assert texts(playback) == said


def test_word_times_are_those_of_the_session(playback):
    played(playback, 3.0)
    assert [(word.start, word.end) for word in playback.said()] == [(10, 11), (11, 12), (12, 13)]


def test_reports_return_the_audio_that_was_played_since(playback):
    start, pcm = played(playback, 1.0)
    assert (start, len(pcm) // 2) == (10 * SAMPLE_RATE, SAMPLE_RATE)
    start, pcm = played(playback, 1.5)
    assert (start, len(pcm) // 2) == (11 * SAMPLE_RATE, SAMPLE_RATE // 2)
    assert played(playback, 1.2)[1] == b""  # an older report


def test_jitter_of_the_clocks_moves_nothing_and_a_gap_does(playback):
    played(playback, 1.0)
    jitter = OFFSET_TOLERANCE / SAMPLE_RATE / 2
    assert played(playback, 1.5, at=11.5 + jitter)[0] == 11 * SAMPLE_RATE
    assert played(playback, 2.0, at=12.5)[0] == 12 * SAMPLE_RATE


def test_more_than_was_sent_cannot_be_played(playback):
    assert len(played(playback, 100.0)[1]) // 2 == 3 * SAMPLE_RATE
    assert playback.played == 3 * SAMPLE_RATE


def test_a_time_before_the_session_is_its_beginning(playback):
    assert played(playback, 1.0, at=0.0)[0] == 0
