from itertools import pairwise

from speech.dialogue.history import CHARACTERS_PER_TOKEN, KEPT_SHARE, TOKENS_PER_MESSAGE, History, Turn

TURN = "x" * 20 * CHARACTERS_PER_TOKEN
TURN_TOKENS = 20 + TOKENS_PER_MESSAGE


def contents(history, text=""):
    return [message.content for message in history.messages(text)]


def test_the_context_is_the_instructions_the_turns_and_the_users_next_turn():
    history = History("Be brief.", 1000)
    history.add_user("Hello.")
    history.add_reply("Hi!")
    assert [tuple(message) for message in history.messages("Who are you?")] == [
        ("system", "Be brief."),
        ("user", "Hello."),
        ("assistant", "Hi!"),
        ("user", "Who are you?"),
    ]


def test_without_instructions_there_is_no_system_message():
    assert contents(History("", 1000), "Hello.") == ["Hello."]


def test_many_of_the_oldest_turns_are_dropped_at_once_and_rarely():
    history = History("", 10 * TURN_TOKENS)
    firsts = []
    for number in range(40):
        history.add_user(f"{number:04}" + TURN[4:])
        firsts.append(int(contents(history)[0][:4]))
    changes = [number for number in range(1, 40) if firsts[number] != firsts[number - 1]]
    assert changes[0] == 10  # the eleventh turn didn't fit any more
    assert all(later - earlier >= 10 * (1 - KEPT_SHARE) for earlier, later in pairwise(changes))
    assert len(contents(history)) <= 10


def test_the_latest_turn_is_always_there():
    history = History("x" * 10_000, 100)
    history.add_user("y" * 10_000)
    assert contents(history)[1:] == ["y" * 10_000]


def test_a_turn_that_the_user_continues_is_removed():
    history = History("", 1000, [Turn(True, "Hello."), Turn(False, "Hi!")])
    history.add_user("Tell me.")
    history.remove_last_user()
    history.remove_last_user()  # the last turn is a reply
    assert contents(history) == ["Hello.", "Hi!"]
