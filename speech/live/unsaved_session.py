"""Stand-in for a session that is not saved: it has the methods of `Session` that a stream calls, and stores nothing.

So an unsaved stream survives what a saved one does: its audio is sent again when an engine is lost.
"""

import uuid
from collections.abc import Sequence

from speech.events import Endpoint, Word
from speech.models import Counts, NextNumbers


class UnsavedSession:
    samples = dropped = engines_lost = epoch = 0
    saves_audio = False

    def __init__(self) -> None:
        self.pk = uuid.uuid4()

    def start(self, engine: str, language: str) -> NextNumbers:
        return NextNumbers()

    def commit(self, samples: int, words: Sequence[Word], endpoints: Sequence[Endpoint], counts: Counts) -> bool:
        return True

    def end(self) -> None:
        pass
