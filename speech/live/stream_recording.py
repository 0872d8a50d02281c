"""Recording of the audio of a stream, with its overlay."""

from collections.abc import Callable
from functools import partial

from speech.library.recording import Recorder
from speech.live.audio_buffer import AudioBuffer
from speech.live.stream_options import Overlay


class StreamRecording:
    def __init__(self, recorder: Recorder | None, overlay: Overlay | None) -> None:
        """`recorder`: None if the audio is not saved."""
        self._recorder = recorder
        self._overlay = overlay

    @property
    def is_saved(self) -> bool:
        return self._recorder is not None

    def write_before(self, audio: AudioBuffer, sample: int) -> Callable[[], None]:
        """A function that writes the audio before `sample`, as far as it is not written yet. It blocks on file I/O."""
        if self._recorder is None:
            return lambda: None
        first = max(self._recorder.end, audio.start)
        pcm = audio.read(first, sample)
        if self._overlay and pcm:
            pcm = self._overlay.mix(first, pcm)
        return partial(self._recorder.append, first, pcm)
