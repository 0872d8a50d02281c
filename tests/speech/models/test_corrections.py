"""Correcting what was heard, in any order, and taking it back."""

import pytest

from speech.library.transcript_view import transcript_segments
from speech.models import ChangedMeanwhile, Correction, Session
from tests.support.speech.sessions import go_on, said


@pytest.fixture
def session(owner):
    return said(owner, "in the hart of paris", "behind a plain facade", "is the crystal")


def read(session):
    return [(utterance.speaker, utterance.text) for utterance in transcript_segments(session)]


def standing(session, number):
    return list(session.segments.current())[number]


def test_a_rewritten_utterance_is_read_and_the_words_as_heard_stay(session, owner):
    before = list(session.words.values_list("text", "start"))
    Correction.rewrite(standing(session, 0), owner, "  In the heart\nof Paris ")
    assert read(session)[0] == ("", "In the heart of Paris")
    assert list(session.words.values_list("text", "start")) == before
    assert [word.start for word in transcript_segments(session)[0].words] == [0, 0.5, 1, 1.5, 2]


def test_the_list_has_the_corrected_first_words(session, owner):
    Correction.rewrite(standing(session, 0), owner, "In the heart of Paris")
    session.refresh_from_db()
    assert session.opening.startswith("In the heart of Paris behind")


def test_an_utterance_that_is_emptied_is_read_no_more(session, owner):
    Correction.rewrite(standing(session, 1), owner, "")
    assert [text for _, text in read(session)] == ["in the hart of paris", "is the crystal"]


def test_it_can_be_split_and_its_parts_joined_again(session, owner):
    Correction.split(standing(session, 0), owner, 3)
    assert [text for _, text in read(session)][:2] == ["in the hart", "of paris"]
    assert [(u.start, u.end) for u in transcript_segments(session)[:2]] == [(0, 1.5), (1.5, 2.4)]
    Correction.merge(standing(session, 0), standing(session, 1), owner)
    assert [text for _, text in read(session)] == ["in the hart of paris", "behind a plain facade", "is the crystal"]


@pytest.mark.parametrize("word", [0, 5, -1])
def test_it_is_not_split_where_nothing_would_remain(session, owner, word):
    with pytest.raises(ValueError, match="cannot be split"):
        Correction.split(standing(session, 0), owner, word)


def test_a_speaker_is_named_for_both_parts_of_a_split(session, owner):
    Correction.name_speaker(standing(session, 0), owner, "Bria")
    Correction.split(standing(session, 0), owner, 2)
    assert read(session)[:2] == [("Bria", "in the"), ("Bria", "hart of paris")]


def test_what_was_undone_is_read_as_before_and_remembered(session, owner):
    before = read(session)
    correction = Correction.split(standing(session, 1), owner, 2)
    correction.undo()
    assert read(session) == before
    assert session.corrections.get().undone_at


def test_corrections_are_undone_in_any_order_that_leaves_none_in_the_air(session, owner):
    before = read(session)
    split = Correction.split(standing(session, 0), owner, 3)
    elsewhere = Correction.rewrite(standing(session, 3), owner, "is a crystal")
    rewrite = Correction.rewrite(standing(session, 1), owner, "of Paris")
    assert not split.can_be_undone
    with pytest.raises(ChangedMeanwhile):
        split.undo()
    for correction in (elsewhere, rewrite, split):
        correction.undo()
    assert read(session) == before


def test_nobody_changes_what_is_not_there_any_more(session, owner):
    stale = standing(session, 0)
    Correction.rewrite(standing(session, 0), owner, "In the heart of Paris")
    with pytest.raises(ChangedMeanwhile):
        Correction.rewrite(stale, owner, "somewhere else")
    assert read(session)[0] == ("", "In the heart of Paris")
    assert session.corrections.count() == 1


def test_an_utterance_is_corrected_while_others_are_still_being_said(owner):
    session = Session.acquire(owner, None)
    session.begin("checksum", "en")
    go_on(session, "in the hart of paris")
    Correction.rewrite(standing(session, 0), owner, "in the heart of paris")
    Correction.split(standing(session, 0), owner, 3)
    again = Session.acquire(owner, session.pk)
    assert again.begin("checksum", "en") == (5, 1)
    go_on(again, "behind a plain facade")
    assert [text for _, text in read(session)] == ["in the heart", "of paris", "behind a plain facade"]


def test_a_sentence_that_is_heard_anew_is_not_hidden_by_its_correction(session, owner):
    """It was ended for a speaker who was away, corrected, and then the speaker came back and it went on."""
    Correction.merge(standing(session, 0), standing(session, 1), owner)
    Correction.rewrite(standing(session, 1), owner, "is the kristall")
    Session.objects.filter(pk=session.pk).update(samples=6 * 24_000)
    Session.acquire(owner, session.pk)
    assert [text for _, text in read(session)] == ["in the hart of paris behind a plain facade"]
    assert session.corrections.count() == 1
