"""A recording as a virtual WAV file: any range of its bytes, without writing it."""

import io
import wave

from inference.messages import BYTES_PER_SAMPLE, SAMPLE_RATE
from speech.library.recording.recording import Recording

HEADER_BYTES = 44


def header(samples: int) -> bytes:
    """WAV header for this number of samples."""
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setparams((1, BYTES_PER_SAMPLE, SAMPLE_RATE, samples, "NONE", "not compressed"))
        wav.writeframesraw(b"")
        return file.getvalue()  # before closing the file writes the real number of samples into the header


def read_bytes(recording: Recording, head: bytes, first: int, end: int) -> bytes:
    """Bytes `first` to `end` (exclusive) of the WAV file."""
    sample, last = (max(0, byte - HEADER_BYTES) for byte in (first, end))
    pcm = recording.read(sample // 2, (last + 1) // 2).astype("<i2").tobytes()
    return head[first:end] + pcm[sample % 2 : sample % 2 + last - sample]
