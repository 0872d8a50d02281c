import pytest

from speech.live.stream_state import RECONNECT_TIMEOUT, State


@pytest.mark.parametrize(
    ("state", "seconds", "is_in_segment", "follows"),
    [
        (State.WAITING, 0, False, State.DONE),
        (State.PAUSED, 0, False, State.DONE),
        (State.RUNNING, 0, False, State.FINISHING),
        (State.RUNNING, RECONNECT_TIMEOUT, True, State.RUNNING),
        (State.RUNNING, RECONNECT_TIMEOUT + 0.1, True, State.FINISHING),
        (State.STOPPING, 60, False, State.STOPPING),
        (State.FINISHED, 60, False, State.FINISHED),
    ],
)
def test_the_state_after_the_client_has_disconnected(state, seconds, is_in_segment, follows):
    assert state.after_detach(seconds, is_in_segment) is follows
