import pytest

from accounts.models import User
from inference.messages import SAMPLE_RATE
from speech.events import Endpoint, InsertedSegment, Word
from speech.models import Conversation, ConversationUsage, Counts, Session
from speech.models.conversation import ASSISTANT, USER, PastTurn
from tests.support.speech.sessions import create_conversation, create_user

WEATHER = [
    (ASSISTANT, 0.0, "Hello! What is on your mind?"),
    (USER, 4.0, "what is the weather"),
    (USER, 7.0, "in paris"),
    (ASSISTANT, 9.0, "It is sunny and—"),
    (USER, 11.0, "stop"),
]


@pytest.fixture
def conversation(owner):
    return create_conversation(owner, *WEATHER).conversation


def test_turns_join_the_segments_of_a_speaker_in_order_of_time(conversation):
    assert conversation.turns_so_far(50) == [
        PastTurn(ASSISTANT, "Hello! What is on your mind?"),
        PastTurn(USER, "what is the weather in paris"),
        PastTurn(ASSISTANT, "It is sunny and—"),
        PastTurn(USER, "stop"),
    ]


def test_only_the_newest_turns_are_returned(conversation):
    assert conversation.turns_so_far(2) == [PastTurn(ASSISTANT, "It is sunny and—"), PastTurn(USER, "stop")]
    assert conversation.turns_so_far(0) == []


def test_words_of_a_segment_that_was_cut_off_belong_to_a_turn(conversation):
    session = conversation.session
    words = [Word(n, n, text, 12.0 + n, 13.0 + n, 0.9) for n, text in [(30, "no"), (31, "wait")]]
    session.commit(13 * SAMPLE_RATE, words, [], Counts(0, 0, 0))
    assert conversation.turns_so_far(1) == [PastTurn(USER, "stop no wait")]


def test_a_session_without_speakers_can_become_a_conversation(owner):
    session = create_conversation(owner, ("", 0.0, "hello"))
    assert session.conversation.turns_so_far(5) == [PastTurn(USER, "hello")]


def test_opening_again_changes_the_settings_and_keeps_the_usage(conversation):
    conversation.add_usage(100, 20, SAMPLE_RATE, 1)
    conversation.add_usage(200, 30, SAMPLE_RATE, 2)
    again = Conversation.open(
        conversation.session_id, instructions="Be brief.", model="big", voice="amy", voice_engine="piper"
    )
    assert (again.pk, again.model, again.instructions) == (conversation.pk, "big", "Be brief.")
    assert (again.prompt_tokens, again.completion_tokens, again.tokens) == (300, 50, 350)
    assert (again.played_seconds, again.turns) == (2.0, 3)


def totals_of(owner):
    usage = ConversationUsage.of(User.objects.get(pk=owner.pk))
    return usage.conversations, usage.replies, usage.prompt_tokens, usage.completion_tokens, usage.played_seconds


def test_the_owner_has_totals_of_all_conversations(owner, conversation):
    conversation.add_usage(100, 20, SAMPLE_RATE, 1)
    second = create_conversation(owner, *WEATHER).conversation
    second.add_usage(200, 30, SAMPLE_RATE // 2, 2)
    Conversation.open(second.session_id, instructions="", model="big", voice="amy", voice_engine="piper")
    assert totals_of(owner) == (2, 3, 300, 50, 1.5)


def test_users_without_conversations_have_no_totals(owner, conversation):
    assert totals_of(create_user("eve@example.org")) == (0, 0, 0, 0, 0.0)


def test_totals_include_deleted_conversations(owner, conversation):
    conversation.add_usage(100, 20, SAMPLE_RATE, 1)
    conversation.session.delete()
    assert totals_of(owner) == (1, 1, 100, 20, 1.0)


def test_a_reply_that_is_counted_after_its_session_was_deleted_is_in_the_totals(owner):
    session = Session.acquire(owner, None, names_speakers=True)
    conversation = Conversation.open(session.pk, instructions="", model="demo", voice="amy", voice_engine="piper")
    session.delete()
    conversation.add_usage(100, 20, SAMPLE_RATE, 1)
    assert totals_of(owner) == (1, 1, 100, 20, 1.0)


def test_the_opening_has_the_words_of_the_user(conversation):
    conversation.session.refresh_from_db()
    assert conversation.session.opening == "what is the weather in paris stop"


def test_the_opening_is_found_behind_a_long_greeting(owner):
    session = create_conversation(owner, (ASSISTANT, 0.0, "welcome " * 60), (USER, 40.0, "hi there"))
    assert session.opening == "hi there"


def test_a_conversation_is_deleted_with_its_session(conversation):
    conversation.session.delete()
    assert not Conversation.objects.exists()


def test_a_session_without_transcribed_audio_is_deleted_when_it_ends(owner):
    session = Session.acquire(owner, None, names_speakers=True)
    session.start("checksum", "en")
    Conversation.open(session.pk, instructions="", model="demo", voice="amy", voice_engine="piper")
    session.commit(
        0, [Word(0, 0, "Hi", 0.0, 0.5, None)], [InsertedSegment(0, 0.0, 0.5, "", ASSISTANT)], Counts(0, 0, 0)
    )
    session.end()
    assert not Session.objects.exists()


def test_words_of_the_user_keep_a_session_whose_audio_is_not_final(owner):
    """Of a client that left within its first words."""
    session = Session.acquire(owner, None, names_speakers=True)
    session.start("checksum", "en")
    session.commit(0, [Word(0, 0, "Hi", 0.0, 0.5, 0.9)], [], Counts(0, 0, 0))
    session.end()
    assert Session.objects.get().ended_at is not None


def test_numbers_follow_the_highest_ones_that_are_left(owner):
    session = Session.acquire(owner, None, names_speakers=True)
    assert session.start("checksum", "en") == (0, 0, None)
    words = [Word(0, 0, "one", 0.0, 0.5, 0.9), Word(1, 1, "lost", 2.0, 2.5, 0.9), Word(2, 2, "reply", 2.0, 2.5, None)]
    ends = [
        Endpoint(0, 0.0, 0.5, "", USER),
        Endpoint(1, 2.0, 2.5, "", USER),
        InsertedSegment(2, 2.0, 2.5, "", ASSISTANT),
    ]
    session.commit(SAMPLE_RATE, words, ends, Counts(0, 0, 0))
    again = Session.acquire(owner, session.pk, names_speakers=True)
    assert again.start("checksum", "en") == (3, 3, None)
    assert [word.text for word in again.words.all()] == ["one", "reply"]
