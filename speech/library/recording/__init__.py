"""The recording of a session: written while it is transcribed, compressed when it ends, read by position."""

from speech.library.recording.compression import compress_soon
from speech.library.recording.recorder import Recorder
from speech.library.recording.recording import Recording

__all__ = ["Recorder", "Recording", "compress_soon"]
