"""The moshi package's own text-to-speech loop for a single stream: the reference for a slot of a batch."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import torch
from moshi.models.tts import TTSModel
from numpy.typing import NDArray

from inference.engines.tts.moshi_tts import MoshiTts
from inference.engines.tts.moshi_tts.voices import Voices
from inference.messages import Audio, Closed, Event, Open, Rejected, Word
from tests.support.models.checkpoints import checkpoint_info

CODEBOOKS = 4
Codes = list[list[int]]
"""Audio tokens of each frame, from the first spoken one."""


def load(folder: Path, n_q: int = CODEBOOKS) -> TTSModel:
    return TTSModel.from_checkpoint_info(checkpoint_info(folder), n_q=n_q, dtype=torch.float32)


@dataclass(frozen=True)
class SpeechOptions:
    text: str
    voice: str = "alba"
    cfg: float = 2.0
    seed: int = 1
    temperature: float = 0.0

    @property
    def request(self) -> Open:
        controls = {"guidance": self.cfg, "seed": self.seed, "temperature": self.temperature}
        return Open("stream", "web", 0.0, 0, "en", voice=self.voice, controls=controls)


@dataclass
class Spoken:
    codes: Codes = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    @property
    def words(self) -> list[Word]:
        return [event for event in self.events if isinstance(event, Word)]

    @property
    def pcm(self) -> NDArray[np.int16]:
        return np.frombuffer(b"".join(event.pcm for event in self.events if isinstance(event, Audio)), "<i2")

    @property
    def rejection(self) -> str:
        return next((event.reason for event in self.events if isinstance(event, Rejected)), "")


class Alone:
    """The package's own loop."""

    def __init__(self, folder: Path) -> None:
        self.model = load(folder)
        self._folder = folder
        self._frames = cache(self._generate)

    def codes(self, options: SpeechOptions) -> Codes:
        return [frame[0, 1:, 0].tolist() for frame in self._frames(options)]

    def pcm(self, options: SpeechOptions) -> NDArray[np.float32]:
        """Audio as from the package's `simple_generate`, including the part after the last word."""
        with torch.no_grad(), self.model.mimi.streaming(1):
            frames = [self.model.mimi.decode(frame[:, 1:]) for frame in self._frames(options)]
        return torch.cat(frames[2:], dim=-1)[0, 0].clip(-1, 1).numpy()

    def _generate(self, options: SpeechOptions) -> list[torch.Tensor]:
        model = self.model
        model.temp = options.temperature
        script = re.sub(r"<([\d.]+s)>", r'<break time="\1"/>', options.text)
        voice = self._folder / "voices" / f"{options.voice}{model.voice_suffix}"
        with torch.random.fork_rng():
            torch.manual_seed(options.seed)
            result = model.generate(
                [model.prepare_script([script], padding_between=1)],
                [model.make_condition_attributes([voice], cfg_coef=options.cfg)],
            )
        return result.frames[model.delay_steps :]


class Together:
    """The engine, and the output of each slot."""

    def __init__(
        self,
        folder: Path,
        slots: int,
        voices: Path | None = None,
        prepare: Callable[[TTSModel], None] = lambda model: None,
    ) -> None:
        """`prepare` changes the model before its use."""
        model = load(folder)
        prepare(model)
        self.engine = MoshiTts(
            model, Voices(model, voices or folder / "voices", {"en": "English", "fr": "Français"}), slots
        )
        self.spoken: dict[int, Spoken] = {}
        self._mimi = model.mimi
        self._busy: set[int] = set()

    def open(self, slot: int, options: SpeechOptions) -> None:
        self.engine.open(slot, options.request)
        self.spoken[slot] = Spoken()

    def close(self, slot: int) -> Spoken:
        self.engine.close(slot)
        self._busy.discard(slot)
        return self.spoken.pop(slot)

    def flush(self, slot: int) -> None:
        assert self.engine.flush(slot) == []
        self._busy.add(slot)

    def step(self, texts: dict[int, str] | None = None, waiting: set[int] = frozenset()) -> set[int]:
        """Step all slots that have work, except those `waiting`; returns the slots with events."""
        self._busy |= set(texts or {})
        inputs = {slot: (texts or {}).get(slot, "") for slot in self._busy - waiting}
        with self._recording() as codes:
            output = self.engine.step(inputs)
        for slot, events in output.items():
            self.spoken[slot].events += events
        for slot, tokens in codes.items():
            self.spoken[slot].codes.append(tokens)
        ended = {slot for slot, events in output.items() if any(isinstance(event, Closed) for event in events)}
        self._busy = (set(output) | (self._busy & waiting)) - ended
        return set(output)

    def has_work(self, slot: int) -> bool:
        return slot in self._busy

    def speak(self, slot: int, text: str) -> None:
        self.step({slot: text})
        self.flush(slot)
        while self.step():
            pass

    @contextmanager
    def _recording(self) -> Iterator[dict[int, list[int]]]:
        """Records the codec's input for the slots that it decodes."""
        codes: dict[int, list[int]] = {}
        decode = self._mimi.decode

        def record(tokens: torch.Tensor) -> torch.Tensor:
            for slot in self._mimi._streaming_state.exec_mask.nonzero()[:, 0].tolist():
                codes[slot] = tokens[slot, :, 0].tolist()
            return decode(tokens)

        self._mimi.decode = record
        yield codes
        self._mimi.decode = decode
