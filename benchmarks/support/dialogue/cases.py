"""What users do that is not a plain turn: they interrupt, pause, make noises, and have a loudspeaker near."""

import random
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from benchmarks.support.dialogue import sounds
from benchmarks.support.dialogue.played_reply import PlayedReply
from benchmarks.support.dialogue.results import Interruption, Results, Sound, Turn
from benchmarks.support.dialogue.sounds import Echo, Pcm, speech
from benchmarks.support.dialogue.talker import Span, Talker
from inference.messages import SAMPLE_RATE

AUDIBLE = 0.2
"""Seconds of a reply that a user hears as speech."""
AFTER_SOUND = 2.6
"""Seconds after a sound in which its effects are observed: a false alarm lasts at most 2 s."""
ANSWER_TIMEOUT = 8.0
ECHO_SECONDS = 12.0
"""Of a reply with an echo. Its first 3 s, during which nothing can interrupt it, are among them."""
SETTLED = 3.5
"""Seconds of a conversation's first reply after which it can be interrupted."""

SHORT = "I have noted that."
LONG = (
    "here is what I know about {city}. The town lies between two hills, and a slow river runs through the middle of "
    "it. In the morning the fishermen bring in their boats, and the market opens under the old clock. Most of the "
    "houses are built of yellow stone, with narrow windows and gardens behind them. In winter the wind blows from the "
    "north, so the people stay inside, drink tea and play cards until late. When the spring comes, the children run "
    "down to the water again, and the whole street smells of bread."
)
INTERRUPTIONS = (
    "Wait, I have another question about that.",
    "No, please talk about the sea instead.",
    "Can you stop for a moment and listen to me?",
    "Actually, what about the mountains in the north?",
    "Sorry, that is not what I wanted to know.",
    "Hold on, how long does the winter last?",
)
STOP = INTERRUPTIONS[2]
PAUSES = (0.6, 1.0, 1.5)
SENTENCES_WITH_PAUSES = (
    "I would like to know | how a compass works.",
    "Yesterday I went to the market and | bought some apples.",
    "My brother lives in the city, | but I prefer the country.",
)
DIGITS = (
    "My number is five five five | two seven three | nine one four.",
    "The code is four two | eight six | one nine.",
    "Please call zero three zero | six six one | two two four.",
)
DIGIT_PAUSE = 0.8
BACKCHANNELS = ("Mhm.", "Uh huh.", "Yeah.", "Okay.", "Right.")

Case = Callable[[Talker, Results], Awaitable[None]]


def cases_in_a_conversation() -> list[Case]:
    pauses = [
        partial(pause_in_speech, f"pause of {seconds} s", speech(text), seconds)
        for text in SENTENCES_WITH_PAUSES
        for seconds in PAUSES
    ]
    digits = [partial(pause_in_speech, f"digits, {DIGIT_PAUSE} s apart", speech(text), DIGIT_PAUSE) for text in DIGITS]
    signs = [partial(sound_during_reply, f"back-channel “{text}”", speech(text)[0]) for text in BACKCHANNELS]
    noises = [
        partial(sound_during_reply, "cough", sounds.cough(0.25, 1)),
        partial(sound_during_reply, "cough", sounds.cough(0.35, 2)),
        partial(sound_during_reply, "cough", sounds.cough(0.3, 3)),
        partial(sound_during_reply, "key clicks", sounds.key_clicks(3)),
        partial(sound_during_reply, "key clicks", sounds.key_clicks(10)),
        partial(sound_during_reply, "white noise, -40 dB", sounds.white_noise(-40, 2)),
        partial(sound_during_reply, "white noise, -25 dB", sounds.white_noise(-25, 2)),
    ]
    return [*pauses, *digits, *signs, *noises, *signs]


def cases_with_an_echo() -> list[Case]:
    """Each needs a new conversation, because one that has noticed an echo is more careful from then on."""
    return [partial(echo, level, delay) for level in (-20, -30, -40) for delay in (50, 150, 300)]


async def interruptions(count: int, talker: Talker, results: Results) -> None:
    """Interrupt one reply after the other by speech, and every fourth with the button."""
    reply: PlayedReply | None = await _listen_to_long_reply(talker, SETTLED)
    for number in range(count):
        if reply is None or reply.is_over:
            reply = await _listen_to_long_reply(talker, 0)
        await talker.until_played(reply, random.uniform(1.2, 3))
        _answer_at_length(talker)
        is_silent = number % 4 == 3
        if is_silent:
            await talker.interrupt()
        text = INTERRUPTIONS[number % len(INTERRUPTIONS)]
        span = talker.say(speech(text)[0])
        if not is_silent:
            results.interruptions.append(await _interruption(talker, reply, text, span))
        reply = await answer_to(span, reply.number, talker, results)
    await talker.interrupt()
    await talker.settle()


async def _interruption(talker: Talker, reply: PlayedReply, text: str, span: Span) -> Interruption:
    begin = talker.time_of(span.start)
    await talker.wait(lambda: reply.cut_at is not None, within=(span.end - span.start) / SAMPLE_RATE + 3)
    held = [at - begin for at, state in talker.states if state == "held" and at >= begin]
    cut = reply.cut_at - begin if reply.cut_at is not None else None
    if cut is None:
        await talker.interrupt()
    return Interruption(text, held[0] if held else cut, cut)


async def answer_to(span: Span, before: int, talker: Talker, results: Results) -> PlayedReply | None:
    """The reply to this speech; None if there is none. `before`: number of the latest reply before it."""
    end = talker.time_of(span.end)
    reply = await talker.next_reply(before, since=end, within=ANSWER_TIMEOUT)
    early = [each for each in talker.replies if each.number > before and 0 < each.first_audio_at < end]
    results.early += len(early)
    if reply is None and early and not early[-1].is_over:
        return early[-1]
    results.unanswered += reply is None
    return reply


async def pause_in_speech(name: str, parts: Sequence[Pcm], seconds: float, talker: Talker, results: Results) -> None:
    talker.script.answer = SHORT
    before = talker.last_number
    spans = [talker.say(parts[0])]
    for part in parts[1:]:
        spans.append(talker.say(part, at=spans[-1].end + int(seconds * SAMPLE_RATE)))
    await talker.until(spans[-1].start)
    now, begin = talker.time_of(spans[-1].start), talker.time_of(spans[0].start)
    turns = sum(begin <= at < now for at, _ in talker.turns)
    replies = [reply for reply in talker.replies if reply.number > before and reply.played >= AUDIBLE * SAMPLE_RATE]
    results.sentences.setdefault(name, []).append(Turn(turns, len(replies)))
    await talker.until(spans[-1].end + SAMPLE_RATE)
    await talker.settle()


async def sound_during_reply(name: str, pcm: Pcm, talker: Talker, results: Results) -> None:
    reply = await _listen_to_long_reply(talker, 1.2)
    span = talker.say(pcm)
    await talker.until(span.end + AFTER_SOUND * SAMPLE_RATE)
    begin = talker.time_of(span.start)
    cut = reply.cut_at - begin if reply.cut_at is not None else None
    results.sounds.setdefault(name, []).append(Sound(talker.holds(begin), cut))
    await talker.interrupt()
    await talker.settle()


async def echo(level: int, delay_ms: int, talker: Talker, results: Results) -> None:
    """A reply that is played into the microphone; then the user interrupts it."""
    talker.echo = Echo(level, delay_ms)
    reply = await _listen_to_long_reply(talker, AUDIBLE)
    begin = reply.first_audio_at
    await talker.wait(lambda: reply.is_over, within=ECHO_SECONDS)
    cut, holds = reply.cut_at - begin if reply.cut_at is not None else None, talker.holds(begin)
    noticed = talker.echo_at - begin if talker.echo_at is not None else None
    stop = None
    if not reply.is_over:
        span = talker.say(speech(STOP)[0])
        stop = (await _interruption(talker, reply, STOP, span)).cut is not None
    results.sounds.setdefault(f"echo at {level} dB", []).append(Sound(holds, cut, noticed, stop))
    talker.echo = None


async def _listen_to_long_reply(talker: Talker, seconds: float) -> PlayedReply:
    """Ask for one, and return when so much of it was played."""
    before = talker.last_number
    _answer_at_length(talker)
    await talker.enter_text("What do you know about your city?")
    reply = await talker.next_reply(before)
    assert reply, "A typed turn got no reply."
    await talker.until_played(reply, seconds)
    return reply


def _answer_at_length(talker: Talker) -> None:
    talker.script.answer = LONG
