"""The latest stretch of the user's speech and the silence after it, from the voice activity of frames."""

import re

from inference.messages import SAMPLE_RATE

SPEECH = 0.5
"""Voice activity from which a frame counts as speech."""
CLEAR_SPEECH = 0.9
"""Voice activity that a single frame proves speech with; coughs and key clicks have less than 0.3."""
NEW_SPEECH = 0.4
"""Seconds of silence that separate two stretches of speech."""
BACKCHANNEL = 0.75
"""Seconds of speech up to which it is a sign of attention (“mhm”), which interrupts nothing. Voice activity makes it
0.1 to 0.2 s longer than it is. Engines invent the words of such speech, but not questions."""
_STOP_WORDS = {
    "en": "stop wait no quiet enough pause cancel what why",
    "fr": "arrête arrêtez attends attendez non quoi pourquoi",
    "de": "stopp halt warte nein was warum",
    "es": "para espera qué",
}
STOP_WORDS = frozenset(word for words in _STOP_WORDS.values() for word in words.split())
"""Words that interrupt however short they are."""

_WORD = re.compile(r"[\w']+")


def is_backchannel(duration: float, text: str) -> bool:
    """Whether speech of `duration` seconds, which was transcribed as `text`, interrupts nothing."""
    words = _WORD.findall(text.lower())
    is_question = "?" in text and len(words) > 1  # “Right?” is none
    return duration <= BACKCHANNEL and not is_question and STOP_WORDS.isdisjoint(words)


class UserSpeech:
    def __init__(self) -> None:
        self.sample = 0
        """The audio before this sample was added."""
        self.frames = 0
        """Frames of speech in a row, up to now."""
        self.activity = 0.0
        """Voice activity of the latest frame."""
        self.end = 0
        """Sample at which the latest speech ended so far."""
        self._start = 0

    def add(self, sample: int, activity: float) -> None:
        """Add a frame that ends at a sample of the session."""
        self.activity = activity
        if activity < SPEECH:
            self.frames = 0
        else:
            if self.end == 0 or self.silence > NEW_SPEECH:
                self._start = self.sample
            self.frames += 1
            self.end = sample
        self.sample = sample

    @property
    def silence(self) -> float:
        """Seconds since the latest speech."""
        return (self.sample - self.end) / SAMPLE_RATE

    @property
    def duration(self) -> float:
        """Seconds of the latest speech."""
        return (self.end - self._start) / SAMPLE_RATE

    @property
    def is_clear(self) -> bool:
        """Whether the latest frame alone proves speech."""
        return self.activity >= CLEAR_SPEECH

    @property
    def is_going_on(self) -> bool:
        return self.end > 0 and self.silence <= NEW_SPEECH
