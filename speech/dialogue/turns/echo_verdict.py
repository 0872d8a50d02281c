"""Whether speech in the microphone is the reply's own, from the comparison of each frame (`echo.py`).

Single frames resemble the reply by chance, and an echo has pauses, so a verdict takes several frames, and holds until
as many others contradict it: the engine's words come after the speech that they are in.
"""

ECHO_FRAMES = 3
"""Frames of speech in a row that must resemble the reply, or must not."""
CERTAIN_FRAMES = 15
"""Frames of an echo after which the microphone is known to pick up replies."""
PROVEN_FRAMES = 16
"""Frames of speech, in a row, that prove to be the user's where the microphone picks up replies: 1.3 s, because the
comparison needs 0.8 s of a reply, and clients report late what they have played."""


class EchoVerdict:
    def __init__(self) -> None:
        self.picks_up_replies = False
        """The microphone picks up what the loudspeaker plays."""
        self._similar = self._different = 0  # frames of speech

    def start_reply(self) -> None:
        """Speech before this proves nothing."""
        self._different = 0

    def add(self, is_similar: bool) -> None:
        """Add a frame of speech."""
        if is_similar:
            self._similar += 1
            self._different = 0
        else:
            self._different += 1
            if self._different >= ECHO_FRAMES:
                self._similar = 0
        self.picks_up_replies = self.picks_up_replies or self._similar >= CERTAIN_FRAMES

    @property
    def is_echo(self) -> bool:
        """Whether the latest speech may be the reply's."""
        if self.picks_up_replies:
            return self._different < PROVEN_FRAMES
        return self._similar >= ECHO_FRAMES
