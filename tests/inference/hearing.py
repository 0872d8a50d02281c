"""All that an engine tells of audio which it is given as fast as it takes it."""

from inference.engine import Listener
from inference.messages import FRAME_SAMPLES, SAMPLE_RATE, Event, Open, Step, Word


def frames_of(samples):
    """int16 samples at 24 kHz as an engine is given them."""
    audio = samples.astype("float32") / 32768
    return [audio[start : start + FRAME_SAMPLES] for start in range(0, len(audio) - FRAME_SAMPLES + 1, FRAME_SAMPLES)]


def hear(engine: Listener, samples, position: int = 0) -> list[Event]:
    engine.open(0, Open("s", "web", 0.0, position, "en"))
    told = [event for frame in frames_of(samples) for event in engine.step({0: frame})[0]]
    told += engine.flush(0)
    engine.close(0)
    return told


def pick(told, kind):
    return [event for event in told if isinstance(event, kind)]


def text(told) -> str:
    return " ".join(word.text for word in pick(told, Word))


def assert_settled_holds(told) -> None:
    """From where a step says that all before is settled, no word told later begins earlier."""
    settled = 0
    for event in told:
        if isinstance(event, Step):
            settled = max(settled, event.settled)
        elif isinstance(event, Word):
            assert event.start * SAMPLE_RATE >= settled - 1
