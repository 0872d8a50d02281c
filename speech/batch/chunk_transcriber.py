"""A chunk of a recording, transcribed in a slot of its own."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count, groupby

from msgspec.structs import replace

from accounts.credentials.principal import Caller
from inference.messages import BYTES_PER_SAMPLE, SAMPLE_RATE
from speech import errors, events
from speech.gateway.revocation import revocation_guard
from speech.live.stream import Stream
from speech.live.stream_options import StreamOptions
from speech.live.stream_state import Intent

STOP_BEFORE_END = 10 * SAMPLE_RATE
"""Samples. Until so few remain the stream stays open-ended, so that it reports a lost slot."""


class Preempted(errors.StreamError):
    code = errors.CloseCode.AT_CAPACITY
    what = "The slot is needed for a live stream."
    why = "Live streams come before recordings."
    action = "The chunk is transcribed again later."


OnStarted = Callable[[str, str], Awaitable[None]]
"""Called with the engine and the language when a slot is granted."""


@dataclass(frozen=True)
class ChunkTranscript:
    """Numbers and times count from the beginning of the chunk."""

    words: list[events.Word]
    endpoints: list[events.Endpoint]

    def shifted(self, seconds: float, words: int, segments: int) -> "ChunkTranscript":
        """The same after so many seconds, words and segments."""

        def later(time: float) -> float:
            return round(seconds + time, 3)

        return ChunkTranscript(
            [
                replace(
                    each,
                    index=words + each.index,
                    segment=segments + each.segment,
                    start=later(each.start),
                    end=later(each.end),
                )
                for each in self.words
            ],
            [
                replace(each, segment=segments + each.segment, start=later(each.start), end=later(each.end))
                for each in self.endpoints
            ],
        )


def merge_channels(channels: list[ChunkTranscript], speakers: tuple[str, ...]) -> ChunkTranscript:
    """The segments of several channels in the order of their times, each with its speaker's name."""
    segments = []
    for channel, speaker in zip(channels, speakers, strict=True):
        words = {n: list(group) for n, group in groupby(channel.words, lambda word: word.segment)}
        segments += [(words.get(end.segment, []), replace(end, speaker=speaker)) for end in channel.endpoints]
    segments.sort(key=lambda segment: segment[1].start)
    index = count()
    return ChunkTranscript(
        [replace(word, index=next(index), segment=n) for n, (words, _) in enumerate(segments) for word in words],
        [replace(end, segment=n) for n, (_, end) in enumerate(segments)],
    )


class ChunkTranscriber:
    def __init__(self, pcm: bytes, caller: Caller, on_started: OnStarted, options: StreamOptions) -> None:
        """`pcm`: s16le, mono, 24 kHz, less than `stream.MAX_BUFFERED`."""
        self.engine = ""
        """The engine of the slot; "" while there is none."""
        self.processed = 0
        """Samples."""
        self.slots_lost = 0
        self._caller = caller
        self._on_started = on_started
        self._words: list[events.Word] = []
        self._endpoints: list[events.Endpoint] = []
        self._end = len(pcm) // BYTES_PER_SAMPLE
        self._stream = Stream(caller.user, self._on_event, options)
        self._stream.feed(pcm)

    async def run(self) -> ChunkTranscript:
        """Raises `StreamError`; the chunk then counts as not transcribed."""
        try:
            async with revocation_guard(self._caller, self._stream.fail):
                await self._stream.run()
        finally:
            self.engine = ""
        return ChunkTranscript(self._words, self._endpoints)

    def preempt(self) -> None:
        self._stream.fail(Preempted())

    async def _on_event(self, event: events.Event) -> None:
        match event:
            case events.Ready(engine=engine, language=language):
                await self._on_started(engine, language)
                self.engine = engine
                self._stop_near_end()
            case events.Step(sample=sample):
                self.processed = sample
                self._stop_near_end()
            case events.Word(index=index):
                self._words[index:] = [event]  # it comes again if its slot was lost
            case events.Endpoint(segment=segment):
                self._endpoints[segment:] = [event]
            case events.Interrupted():
                self.slots_lost += 1

    def _stop_near_end(self) -> None:
        if self._stream.accepts_audio and self._end - self.processed <= STOP_BEFORE_END:
            self._stream.set_intent(Intent.STOP)
