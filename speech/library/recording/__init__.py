"""The sound of a session: written as it is transcribed, compressed when it is over, read by position."""

from speech.library.recording.compression import compress_soon
from speech.library.recording.recorder import Recorder
from speech.library.recording.recording import Recording

__all__ = ["Recorder", "Recording", "compress_soon"]
