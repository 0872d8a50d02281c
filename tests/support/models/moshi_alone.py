"""What the moshi package's own text-to-speech loop gives for one stream alone: what a slot of a batch must give too."""

import re
from collections.abc import Iterator
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
from inference.messages import Audio, Event, Open, Rejected, Word
from tests.support.models.checkpoints import checkpoint_info

CODEBOOKS = 4
Codes = list[list[int]]
"""For each frame from the first that is spoken, its audio tokens."""


def load(folder: Path, n_q: int = CODEBOOKS) -> TTSModel:
    return TTSModel.from_checkpoint_info(checkpoint_info(folder), n_q=n_q, dtype=torch.float32)


@dataclass(frozen=True)
class Wish:
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
    def refusal(self) -> str:
        return next((event.reason for event in self.events if isinstance(event, Rejected)), "")


class Alone:
    """The package's own loop."""

    def __init__(self, folder: Path) -> None:
        self.model = load(folder)
        self._folder = folder
        self.codes = cache(self._codes)

    def _codes(self, wish: Wish) -> Codes:
        return [frame[0, 1:, 0].tolist() for frame in self._frames(wish)]

    def pcm(self, wish: Wish) -> NDArray[np.float32]:
        """As the package's `simple_generate` makes it of the frames, with what follows the last word."""
        with torch.no_grad(), self.model.mimi.streaming(1):
            frames = [self.model.mimi.decode(frame[:, 1:]) for frame in self._frames(wish)]
        return torch.cat(frames[2:], dim=-1)[0, 0].clip(-1, 1).numpy()

    def _frames(self, wish: Wish) -> list[torch.Tensor]:
        model = self.model
        model.temp = wish.temperature
        script = re.sub(r"<([\d.]+s)>", r'<break time="\1"/>', wish.text)
        voice = self._folder / "voices" / f"{wish.voice}{model.voice_suffix}"
        with torch.random.fork_rng():
            torch.manual_seed(wish.seed)
            result = model.generate(
                [model.prepare_script([script], padding_between=1)],
                [model.make_condition_attributes([voice], cfg_coef=wish.cfg)],
            )
        return result.frames[model.delay_steps :]


class Together:
    """The engine, and what each of its slots has said."""

    def __init__(self, folder: Path, slots: int, voices: Path | None = None) -> None:
        model = load(folder)
        self.engine = MoshiTts(
            model, Voices(model, voices or folder / "voices", {"en": "English", "fr": "Français"}), slots
        )
        self.spoken: dict[int, Spoken] = {}
        self._mimi = model.mimi
        self._busy: set[int] = set()

    def open(self, slot: int, wish: Wish) -> None:
        self.engine.open(slot, wish.request)
        self.spoken[slot] = Spoken()

    def close(self, slot: int) -> Spoken:
        self.engine.close(slot)
        self._busy.discard(slot)
        return self.spoken.pop(slot)

    def flush(self, slot: int) -> None:
        assert self.engine.flush(slot) == []
        self._busy.add(slot)

    def step(self, texts: dict[int, str] | None = None, waiting: set[int] = frozenset()) -> set[int]:
        """One step of all slots that have work, but for those `waiting`: those that it told something of."""
        self._busy |= set(texts or {})
        inputs = {slot: (texts or {}).get(slot, "") for slot in self._busy - waiting}
        with self._listening() as codes:
            told = self.engine.step(inputs)
        for slot, events in told.items():
            self.spoken[slot].events += events
        for slot, tokens in codes.items():
            self.spoken[slot].codes.append(tokens)
        self._busy = set(told) | (self._busy & waiting)
        return set(told)

    def has_work(self, slot: int) -> bool:
        return slot in self._busy

    def speak(self, slot: int, text: str) -> None:
        self.step({slot: text})
        self.flush(slot)
        while self.step():
            pass

    @contextmanager
    def _listening(self) -> Iterator[dict[int, list[int]]]:
        """What the codec decodes, of the slots for which it does."""
        codes: dict[int, list[int]] = {}
        decode = self._mimi.decode

        def listen(tokens: torch.Tensor) -> torch.Tensor:
            for slot in self._mimi._streaming_state.exec_mask.nonzero()[:, 0].tolist():
                codes[slot] = tokens[slot, :, 0].tolist()
            return decode(tokens)

        self._mimi.decode = listen
        yield codes
        self._mimi.decode = decode
