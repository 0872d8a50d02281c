"""The header of a WAV file, and a recording as a virtual WAV file: any range of its bytes, without writing it."""

import struct

from inference.messages import BYTES_PER_SAMPLE, SAMPLE_RATE
from speech.library.recording.recording import Recording

HEADER = struct.Struct("<4sI 4s 4sIHHIIHH 4sI")
HEADER_BYTES = HEADER.size
FORMAT_BYTES = 16
PCM, MONO = 1, 1
UNKNOWN_SIZE = 0xFFFFFFFF


def wav_header(samples: int | None) -> bytes:
    """WAV header for this number of samples: PCM, 16 bit, mono, 24 kHz. None: the file is streamed."""
    size = UNKNOWN_SIZE if samples is None else samples * BYTES_PER_SAMPLE
    file_size = min(size + HEADER_BYTES - 8, UNKNOWN_SIZE)  # without the first two fields
    sample_format = (PCM, MONO, SAMPLE_RATE, SAMPLE_RATE * BYTES_PER_SAMPLE, BYTES_PER_SAMPLE, BYTES_PER_SAMPLE * 8)
    return HEADER.pack(b"RIFF", file_size, b"WAVE", b"fmt ", FORMAT_BYTES, *sample_format, b"data", size)


def read_bytes(recording: Recording, head: bytes, first: int, end: int) -> bytes:
    """Bytes `first` to `end` (exclusive) of the WAV file."""
    sample, last = (max(0, byte - HEADER_BYTES) for byte in (first, end))
    pcm = recording.read(sample // 2, (last + 1) // 2).astype("<i2").tobytes()
    return head[first:end] + pcm[sample % 2 : sample % 2 + last - sample]
