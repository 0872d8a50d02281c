"""Playback of a reply by the client: sends its audio ahead of what was played, and knows which words were audible.

The client reports how far it has played; only that counts as said.
"""

import asyncio
from collections.abc import Callable

from inference.messages import BYTES_PER_SAMPLE, SAMPLE_RATE
from speech import events
from speech.dialogue.replies.reply import Reply
from speech.text.alignment import TimedWord

WINDOW = int(2.5 * SAMPLE_RATE)
"""Samples sent beyond those that were played: enough for a bad network, and little to drop when the user interrupts."""
LISTENER_TIMEOUT = 30.0
"""Seconds without progress after which the listener's page counts as suspended, and the reply as played so far."""
OFFSET_TOLERANCE = int(0.05 * SAMPLE_RATE)
"""Samples. Reports differ by the jitter of the client's clocks; more is a gap in its playback."""
CUT_MARK = "—"
"""Ends the text of a reply that was cut."""


class Playback:
    def __init__(self, reply: Reply, emit: Callable[[events.Event], None], *, is_announcement: bool = False) -> None:
        """`is_announcement`: the site's own words, which are not part of the conversation."""
        self.reply = reply
        self.is_announcement = is_announcement
        self.sent = 0  # samples
        self.played = 0
        self._emit = emit
        self._unplayed = bytearray()
        self._offset: int | None = None  # sample of the session at which the reply's first sample was played
        self._emitted_words = 0
        self._has_progress = asyncio.Event()

    async def start(self) -> bool:
        """Return when the first audio is there: True, unless there will be none."""
        reply = self.reply
        await reply.until(lambda: bool(reply.frames) or reply.is_complete)
        if reply.frames:
            self._emit(events.ReplyStarted(reply.number, self.is_announcement))
        return bool(reply.frames)

    async def run(self) -> None:
        """Return when everything was played, or the listener's client doesn't play any more."""
        reply = self.reply
        while True:
            await reply.until(lambda: bool(reply.frames) or reply.is_complete)
            if not reply.frames:
                break
            if not await self._has_room():
                break
            self._send(reply.pop_frame())
        self._emit(events.ReplyEnded(reply.number, self.sent))
        while self.played < self.sent and await self._progress():
            pass

    def on_played(self, sample: int, at: int) -> tuple[int, bytes]:
        """The client has played everything before `sample` when the microphone recorded sample `at` of the session.

        Returns the audio that was played since the last report, and the sample of the session at which it began.
        """
        before = self.played
        self.played = max(before, min(sample, self.sent))
        offset = max(0, at - sample)
        if self._offset is None or abs(offset - self._offset) > OFFSET_TOLERANCE:
            self._offset = offset
        size = (self.played - before) * BYTES_PER_SAMPLE
        pcm = bytes(self._unplayed[:size])
        del self._unplayed[:size]
        self._has_progress.set()
        return before + self._offset, pcm

    @property
    def is_complete(self) -> bool:
        """All of the reply was played."""
        return self.reply.is_complete and not self.reply.frames and self.played >= self.sent

    def said(self) -> list[TimedWord]:
        """The words that were played, with times in seconds of the session; the last one of a reply that was cut ends
        with a dash."""
        end = self.played / SAMPLE_RATE
        is_complete = self.is_complete
        spoken = [word for word in self.reply.words if is_complete or word.end <= end]
        offset = (self._offset or 0) / SAMPLE_RATE
        words = [
            TimedWord(text, round(offset + word.start, 3), round(offset + word.end, 3), None)
            for word in spoken
            for text in word.text.split()
        ]
        if words and len(spoken) < len(self.reply.words):
            words[-1] = words[-1]._replace(text=words[-1].text + CUT_MARK)
        return words

    def _send(self, pcm: bytes) -> None:
        end = (self.sent + len(pcm) // BYTES_PER_SAMPLE) / SAMPLE_RATE
        words = self.reply.words
        while self._emitted_words < len(words) and words[self._emitted_words].start < end:
            word = words[self._emitted_words]
            self._emit(events.ReplyWord(self.reply.number, word.text, word.start, word.end))
            self._emitted_words += 1
        self.sent += len(pcm) // BYTES_PER_SAMPLE
        self._unplayed += pcm
        self._emit(events.Audio(pcm))

    async def _has_room(self) -> bool:
        while self.sent - self.played >= WINDOW:
            if not await self._progress():
                return False
        return True

    async def _progress(self) -> bool:
        """Wait for a report of the client. False if none came."""
        self._has_progress.clear()
        try:
            async with asyncio.timeout(LISTENER_TIMEOUT):
                await self._has_progress.wait()
        except TimeoutError:
            return False
        return True
