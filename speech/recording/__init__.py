"""The sound of a session: written as it is transcribed, compressed when it is over, read by position."""

from speech.recording.packing import pack_soon
from speech.recording.recorder import Recorder
from speech.recording.recording import Recording

__all__ = ["Recorder", "Recording", "pack_soon"]
