"""States of a live stream, and what its client can ask for."""

from enum import Enum, auto

RECONNECT_TIMEOUT = 5.0
"""Seconds for which a stream whose client disconnected within a segment waits for it before it ends the segment."""
REST_AFTER = 10.0
"""Seconds without audio after which a stream gives its slot back until more comes. The slot's lease is longer: who lets
it expire counts as gone (`IDLE_TIMEOUT` in `inference/scheduler.py`)."""


class Intent(Enum):
    """What the client wants of a stream."""

    RUN = "run"
    PAUSE = "pause"
    STOP = "stop"


class State(Enum):
    """What a stream does. Whether it has a slot is another matter: it can be lost and found again in every state.

    | state     | audio     | until                                                                   |
    | --------- | --------- | ----------------------------------------------------------------------- |
    | WAITING   | held      | a slot is granted, which emits `Ready`: RUNNING                         |
    | RUNNING   | processed | the client sets another intent, detaches, or the process drains         |
    | RESTING   | processed | more audio comes: RUNNING. The client notices nothing                   |
    | PAUSING   | processed | everything is final and stored, which emits `Paused`: PAUSED            |
    | PAUSED    | processed | the client, which sends none, resumes: WAITING                          |
    | STOPPING  | processed | everything is final and stored: DONE                                    |
    | FINISHING | discarded | the engine reaches the end of what it was sent, without a client: FINISHED |
    | FINISHED  | discarded | everything is stored: DONE                                              |
    | DONE      |           |                                                                         |
    """

    WAITING = auto()
    RUNNING = auto()
    RESTING = auto()
    PAUSING = auto()
    PAUSED = auto()
    STOPPING = auto()
    FINISHING = auto()
    FINISHED = auto()
    DONE = auto()

    def after_detach(self, seconds: float, is_in_segment: bool) -> "State":
        """The state of a stream whose client disconnected this long ago."""
        if self in STOPPED:
            return self
        if self not in (State.RUNNING, State.RESTING):
            return State.DONE
        return self if is_in_segment and seconds <= RECONNECT_TIMEOUT else State.FINISHING

    def after_silence(self, seconds: float) -> "State":
        """The state of a stream that has a slot and has got no audio for this long."""
        return State.RESTING if self is State.RUNNING and seconds > REST_AFTER else self


STATE_OF = {Intent.RUN: State.WAITING, Intent.PAUSE: State.PAUSING, Intent.STOP: State.STOPPING}
SERVED = (State.RUNNING, State.RESTING, State.FINISHING)
"""The client need not know that the stream waits for a slot."""
OPEN_ENDED = (State.WAITING, State.RUNNING)
"""More audio may follow what was fed."""
STOPPED = (State.STOPPING, State.FINISHING, State.FINISHED, State.DONE)
WITHOUT_CLIENT = (State.FINISHING, State.FINISHED, State.DONE)
"""Audio is discarded and intents are ignored."""
