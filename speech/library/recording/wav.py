"""A recording as a WAV file that nobody has to write: its bytes from anywhere to anywhere."""

import io
import wave

from inference.messages import BYTES_PER_SAMPLE, SAMPLE_RATE
from speech.library.recording.recording import Recording

HEADER_BYTES = 44


def header(samples: int) -> bytes:
    """What comes before so many samples."""
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setparams((1, BYTES_PER_SAMPLE, SAMPLE_RATE, samples, "NONE", "not compressed"))
        wav.writeframesraw(b"")
        return file.getvalue()  # before it is closed, when it would say how many samples really came


def read_bytes(recording: Recording, head: bytes, first: int, end: int) -> bytes:
    """From byte `first` to before byte `end`, of the header and what follows it."""
    sample, last = (max(0, byte - HEADER_BYTES) for byte in (first, end))
    pcm = recording.read(sample // 2, (last + 1) // 2).astype("<i2").tobytes()
    return head[first:end] + pcm[sample % 2 : sample % 2 + last - sample]
