"""What a stream has in place of a session when nobody wants to keep one: it stands where `Session` does, and stores
nothing. So a program's stream survives what a browser's does, its audio sent again when an engine is lost.
"""

import uuid
from collections.abc import Sequence

from speech.events import Endpoint, Word
from speech.models import Counts


class UnsavedSession:
    samples = dropped = engines_lost = epoch = 0
    saves_audio = False

    def __init__(self) -> None:
        self.pk = uuid.uuid4()

    def begin(self, engine: str, language: str) -> tuple[int, int]:
        return 0, 0

    def commit(self, samples: int, words: Sequence[Word], endpoints: Sequence[Endpoint], counts: Counts) -> bool:
        return True

    def end(self) -> None:
        pass
