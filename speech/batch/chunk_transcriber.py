"""One part of a recording is heard, in a slot of its own, to its end or not at all."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import count, groupby
from typing import Any

from msgspec.structs import replace

from accounts.credentials.principal import Caller
from speech import errors, events
from speech.batch.hearing import Hearing


class Preempted(errors.StreamError):
    """Its slot is wanted by somebody who speaks."""

    code = errors.CloseCode.AT_CAPACITY
    what = why = action = ""


OnStarted = Callable[[str, str], Awaitable[None]]
"""Awaited with the engine and the language of a slot before anything is heard in it."""


@dataclass(frozen=True)
class ChunkTranscript:
    words: list[events.Word]
    endpoints: list[events.Endpoint]

    def shifted(self, seconds: float, words: int, segments: int) -> "ChunkTranscript":
        """The same, after so many seconds, words and segments that were heard before."""

        def later(at: float) -> float:
            return round(seconds + at, 3)

        return ChunkTranscript(
            [
                replace(
                    word,
                    index=words + word.index,
                    segment=segments + word.segment,
                    start=later(word.start),
                    end=later(word.end),
                )
                for word in self.words
            ],
            [
                replace(each, segment=segments + each.segment, start=later(each.start), end=later(each.end))
                for each in self.endpoints
            ],
        )


def merge_channels(sides: Sequence[ChunkTranscript], speakers: Sequence[str]) -> ChunkTranscript:
    """What was said on several sides of a part, utterance by utterance, each with its speaker's name."""
    utterances = []
    for side, speaker in zip(sides, speakers, strict=True):
        words = {n: list(group) for n, group in groupby(side.words, lambda word: word.segment)}
        utterances += [(words.get(end.segment, []), replace(end, speaker=speaker)) for end in side.endpoints]
    utterances.sort(key=lambda utterance: utterance[1].start)
    index = count()
    return ChunkTranscript(
        [replace(word, index=next(index), segment=n) for n, (words, _) in enumerate(utterances) for word in words],
        [replace(end, segment=n) for n, (_, end) in enumerate(utterances)],
    )


class ChunkTranscriber:
    def __init__(self, pcm: bytes, caller: Caller, begun: OnStarted, **wishes: Any) -> None:
        """`pcm`: s16le, mono, 24 kHz. `wishes` are those of `Stream`."""
        self._begun = begun
        self._words: list[events.Word] = []
        self._endpoints: list[events.Endpoint] = []
        self._hearing = Hearing(caller, self._on_event, keep=False, **wishes)
        self._hearing.say(pcm)
        self._hearing.end()
        self.engine = ""
        """Of the slot that it has; "" while it has none."""
        self.processed = 0  # samples
        self.slots_lost = 0

    async def run(self) -> ChunkTranscript:
        """Raises `StreamError`; then nothing of it was heard."""
        try:
            await self._hearing.run()
        finally:
            self.engine = ""
        return ChunkTranscript(self._words, self._endpoints)

    def preempt(self) -> None:
        self._hearing.fail(Preempted())

    async def _on_event(self, event: events.Event) -> None:
        match event:
            case events.Ready(engine=engine, language=language):
                await self._begun(engine, language)
                self.engine = engine
            case events.Step(sample=sample):
                self.processed = sample
            case events.Word(index=index):
                self._words[index:] = [event]  # it comes again if its slot was lost
            case events.Endpoint(segment=segment):
                self._endpoints[segment:] = [event]
            case events.Interrupted():
                self.slots_lost += 1
