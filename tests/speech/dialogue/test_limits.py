import pytest

from inference.engines.testing.tones import pcm_of
from speech import events
from speech.dialogue import conversation
from speech.dialogue.limits import IDLE_WARNING, WARNING, Due, Limits


def dues(limits, *moments):
    return [limits.due(elapsed, idle) for elapsed, idle in moments]


def test_a_conversation_is_warned_once_before_its_longest_duration():
    limits = Limits(length=600, idle=0)
    assert dues(limits, (0, 0), (600 - WARNING, 0), (590, 0), (600, 0)) == [
        None,
        Due.LENGTH_WARNING,
        None,
        Due.LENGTH_REACHED,
    ]


def test_an_idle_conversation_is_warned_each_time_that_it_becomes_idle():
    limits = Limits(length=0, idle=100)
    near = 100 - IDLE_WARNING
    assert dues(limits, (near, near), (90, 90), (91, 0), (200, near), (230, 100)) == [
        Due.IDLE_WARNING,
        None,
        None,
        Due.IDLE_WARNING,
        Due.IDLE_REACHED,
    ]


@pytest.mark.parametrize("moment", [(0, 0), (10_000, 10_000)])
def test_zero_is_no_limit(moment):
    assert Limits(length=0, idle=0).due(*moment) is None


async def test_an_idle_conversation_is_warned_and_ends(talk, monkeypatch):
    monkeypatch.setattr(conversation, "WATCH_INTERVAL", 0.05)
    client = await talk()
    due = iter([Due.IDLE_WARNING, None, Due.IDLE_REACHED])
    monkeypatch.setattr(Limits, "due", lambda self, elapsed, idle: next(due, None))
    await client.until(events.ReplyStarted)
    await client.listen_to_the_end()
    await client.ended()
    assert client.audio[client.reply] == pcm_of(conversation.ANNOUNCEMENTS[Due.IDLE_WARNING])
    assert len(client.all(events.Done)) == 1
