"""Corrections of segments, undone in any order."""

import pytest

from speech.library.transcript_view import transcript_segments
from speech.models import ChangedMeanwhile, Correction, Session
from speech.models.corrections import TEXT_LENGTH
from tests.support.speech.sessions import append_segments, create_session


@pytest.fixture
def session(owner):
    return create_session(owner, "in the hart of paris", "behind a plain facade", "is the crystal")


def transcript(session):
    return [(segment.speaker, segment.text) for segment in transcript_segments(session)]


def current(session, index):
    return list(session.segments.current())[index]


def test_rewriting_changes_the_transcript_and_keeps_the_original_words(session, owner):
    before = list(session.words.values_list("text", "start"))
    Correction.rewrite(current(session, 0), owner, "  In the heart\nof Paris ")
    assert transcript(session)[0] == ("", "In the heart of Paris")
    assert list(session.words.values_list("text", "start")) == before
    assert [word.start for word in transcript_segments(session)[0].words] == [0, 0.5, 1, 1.5, 2]


def test_rewriting_updates_the_opening(session, owner):
    Correction.rewrite(current(session, 0), owner, "In the heart of Paris")
    session.refresh_from_db()
    assert session.opening.startswith("In the heart of Paris behind")


def test_an_empty_segment_disappears_from_the_transcript(session, owner):
    Correction.rewrite(current(session, 1), owner, "")
    assert [text for _, text in transcript(session)] == ["in the hart of paris", "is the crystal"]


def test_a_segment_can_be_split_and_merged_again(session, owner):
    Correction.split(current(session, 0), owner, 3)
    assert [text for _, text in transcript(session)][:2] == ["in the hart", "of paris"]
    assert [(u.start, u.end) for u in transcript_segments(session)[:2]] == [(0, 1.5), (1.5, 2.4)]
    Correction.merge(current(session, 0), current(session, 1), owner)
    assert [text for _, text in transcript(session)] == [
        "in the hart of paris",
        "behind a plain facade",
        "is the crystal",
    ]


@pytest.mark.parametrize("word", [0, 5, -1])
def test_a_split_never_leaves_an_empty_segment(session, owner, word):
    with pytest.raises(ValueError, match="Can't split"):
        Correction.split(current(session, 0), owner, word)


def test_a_merged_segment_is_no_longer_than_an_edited_one(owner):
    half = "a" * (TEXT_LENGTH // 2)
    session = create_session(owner, "first", "second")
    for index, text in enumerate((half, half[:-1])):
        Correction.rewrite(current(session, index), owner, text)
    Correction.merge(current(session, 0), current(session, 1), owner).undo()
    Correction.rewrite(current(session, 1), owner, half)
    with pytest.raises(ValueError, match="would have 10001 characters, and the limit is 10000"):
        Correction.merge(current(session, 0), current(session, 1), owner)


def test_a_long_text_without_any_common_words_takes_its_times_in_proportion(session, owner):
    times = [word.start for word in transcript_segments(session)[0].words]
    Correction.rewrite(current(session, 0), owner, " ".join(f"new{index}" for index in range(50)))
    assert [word.start for word in transcript_segments(session)[0].words] == [time for time in times for _ in range(10)]


def test_a_split_keeps_the_speaker_in_both_parts(session, owner):
    Correction.name_speaker(current(session, 0), owner, "Bria")
    Correction.split(current(session, 0), owner, 2)
    assert transcript(session)[:2] == [("Bria", "in the"), ("Bria", "hart of paris")]


def test_undo_restores_the_transcript_and_is_recorded(session, owner):
    before = transcript(session)
    correction = Correction.split(current(session, 1), owner, 2)
    correction.undo()
    assert transcript(session) == before
    assert session.corrections.get().undone_at


def test_a_correction_can_be_undone_unless_a_later_one_depends_on_it(session, owner):
    before = transcript(session)
    split = Correction.split(current(session, 0), owner, 3)
    elsewhere = Correction.rewrite(current(session, 3), owner, "is a crystal")
    rewrite = Correction.rewrite(current(session, 1), owner, "of Paris")
    assert not split.can_be_undone
    with pytest.raises(ChangedMeanwhile):
        split.undo()
    for correction in (elsewhere, rewrite, split):
        correction.undo()
    assert transcript(session) == before


def test_a_replaced_segment_cannot_be_changed(session, owner):
    stale = current(session, 0)
    Correction.rewrite(current(session, 0), owner, "In the heart of Paris")
    with pytest.raises(ChangedMeanwhile):
        Correction.rewrite(stale, owner, "somewhere else")
    assert transcript(session)[0] == ("", "In the heart of Paris")
    assert session.corrections.count() == 1


def test_a_segment_can_be_edited_during_a_live_session(owner):
    session = Session.acquire(owner, None)
    session.start("checksum", "en")
    append_segments(session, "in the hart of paris")
    Correction.rewrite(current(session, 0), owner, "in the heart of paris")
    Correction.split(current(session, 0), owner, 3)
    again = Session.acquire(owner, session.pk)
    assert again.start("checksum", "en") == (5, 1, None)
    append_segments(again, "behind a plain facade")
    assert [text for _, text in transcript(session)] == ["in the heart", "of paris", "behind a plain facade"]


def test_a_resumed_stream_discards_corrections_of_segments_that_it_transcribes_again(session, owner):
    """The segment ended when the client disconnected and was edited; then the client reconnected and continued it."""
    Correction.merge(current(session, 0), current(session, 1), owner)
    Correction.rewrite(current(session, 1), owner, "is the kristall")
    Session.objects.filter(pk=session.pk).update(samples=6 * 24_000)
    Session.acquire(owner, session.pk)
    assert [text for _, text in transcript(session)] == ["in the hart of paris behind a plain facade"]
    assert session.corrections.count() == 1
