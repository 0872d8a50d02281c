"""Kyutai's Pocket TTS: a small model that speaks in real time on a CPU, in the voices of people.

The package speaks one text at a time, in two threads of its own that nobody can hold back. Here the streams take turns
on one model: each has its own state, and a piece is one frame of 80 ms.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path

import msgspec
import numpy as np
import soxr
import torch
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
from requests import RequestException
from safetensors import SafetensorError

from inference.engine import EngineUnusable
from inference.engines.stt.forced_alignment import RATE, Aligner, by_length
from inference.engines.tts.phrase_synthesizer import Pcm, PhraseSynthesizer, Rendered
from inference.loading.device import find_device, plan
from inference.loading.presets import Preset
from inference.messages import SAMPLE_RATE, Voice

_threads = torch.get_num_threads()
from pocket_tts import TTSModel  # noqa: E402
from pocket_tts.models.text_chunking import prepare_text_prompt  # noqa: E402
from pocket_tts.modules.stateful_module import ModelState, increment_steps, init_states  # noqa: E402

torch.set_num_threads(_threads)  # which the package sets to one, for everything in this process

logger = logging.getLogger(__name__)

FADE_IN = SAMPLE_RATE // 200
"""Samples; the codec begins with a click."""
AFTER_END = 2
"""Frames beyond those that the package guesses from the number of words, as it does itself."""
NOT_BEFORE = 6
"""Frames; the model may take the silence before the first word for the end."""


LONGEST = 180
"""Characters of a phrase: the model was trained on single sentences, and skips words of more than some 50 tokens."""

ReportProgress = Callable[[str], None]
"""Called with what is going on, in words, while it takes long."""


class PocketError(EngineUnusable):
    """What is wrong with the model's files, and what to do, in words."""


def load(slots: int, preset: Preset, tell: ReportProgress = logger.info) -> PhraseSynthesizer:
    """`slots`: 0 for as many as the CPU carries. Raises `EngineUnusable`."""
    if preset.dtype != "float32":  # the package knows these two
        preset = msgspec.structs.replace(preset, dtype="int8")
    intended = plan(preset, find_device("cpu"), slots)
    model = _model(preset, tell)
    voices = _voices(model, preset, tell)
    tell("warming up")
    return PhraseSynthesizer(intended.slots, _Synthesizer(model, voices, preset), LONGEST)


def _model(preset: Preset, tell: ReportProgress) -> TTSModel:
    tell(f"loading {preset.model}, {preset.download_mb} MB, which are downloaded if they are not here")
    try:
        is_own = Path(preset.model.partition("@")[0]).suffix in (".yaml", ".yml")
        which = {"config": preset.model} if is_own else {"language": preset.model}
        return TTSModel.load_model(**which, quantize=preset.dtype == "int8")
    except (RequestException, HfHubHTTPError, LocalEntryNotFoundError) as error:
        raise PocketError(
            f"{preset.label} cannot be downloaded: {error}. Check the network and start again; or give its "
            "configuration, a .yaml that names files here, as the preset's model."
        ) from error
    except (OSError, ValueError, AssertionError, RuntimeError, SafetensorError) as error:
        raise PocketError(f"{preset.model} is no model of Pocket TTS that can be loaded: {error}") from error


def _voices(model: TTSModel, preset: Preset, tell: ReportProgress) -> dict[str, ModelState]:
    """By their names. `preset.voices`: names of the package's own, or a folder of files that it made of recordings."""
    folder = Path(preset.voices).expanduser()
    sources: Mapping[str, str | Path] = (
        {path.stem: path for path in sorted(folder.glob("*.safetensors"))}
        if folder.is_dir()
        else {name: name for name in preset.voices.split()}
    )
    states: dict[str, ModelState] = {}
    for name, source in sources.items():
        tell(f"reading the voice {name}, {len(states) + 1} of {len(sources)}")
        try:
            states[name] = model.get_state_for_audio_prompt(source)
        except Exception as error:  # of the network, the hub, the file: one voice is no reason to have none
            logger.warning("the voice %s of %s is left out: %s", name, preset.name, error)
    if not states:
        raise PocketError(
            f"{preset.label} has no voice: {preset.voices} are no names of its voices, and no folder of files."
        )
    return states


class _Synthesizer:
    def __init__(self, model: TTSModel, states: Mapping[str, ModelState], preset: Preset) -> None:
        self._model = model
        self._states = states
        self._usual_temperature = model.temp
        language = next(iter(preset.languages))
        self.voices = [Voice(name, name.replace("_", " ").title(), language, "", "Neural") for name in states]
        self._aligner = Aligner() if language == "en" else None
        next(self.render(["Hello."], self.voices[0].name, {}))  # who speaks first shall not wait for it

    def render(self, words: list[str], voice: str, controls: Mapping[str, float]) -> Iterator[Rendered]:
        temperature = controls.get("variation", self._usual_temperature)
        made: list[Pcm] = []
        for frame in _frames(self._model, self._states[voice], " ".join(words), temperature):
            if made:
                yield Rendered(made[-1], SAMPLE_RATE, None)  # one frame late, for the last tells the times
            made.append(frame)
        pcm = np.concatenate([np.zeros(0, "<i2"), *made])
        yield Rendered(made[-1] if made else pcm, SAMPLE_RATE, self._times(words, pcm))

    def _times(self, words: Sequence[str], pcm: Pcm) -> list[tuple[float, float]]:
        if self._aligner is None or not len(pcm):
            spans = by_length(words, len(pcm) / SAMPLE_RATE)
        else:
            spans = self._aligner.align(words, soxr.resample(pcm / np.float32(32768), SAMPLE_RATE, RATE))
        return [(span.start, span.end) for span in spans]


@torch.no_grad()  # type: ignore[untyped-decorator]
def _frames(model: TTSModel, voice: ModelState, text: str, temperature: float) -> Iterator[Pcm]:
    """What the package's `generate_audio_stream` makes of a text that is not cut up, frame by frame."""
    text, after_end = _prepared(model, text)
    if not text:
        return
    state = deepcopy(voice)
    tokens = model.flow_lm.conditioner.prepare(text)
    most = model._estimate_max_gen_len(tokens.shape[1])
    model._expand_kv_cache(state, sequence_length=model._flow_lm_current_end(state) + tokens.shape[1] + most)
    model._run_flow_lm_and_increment_step(model_state=state, text_tokens=tokens)
    codec_steps = int(model.mimi.encoder_frame_rate / model.mimi.frame_rate)
    codec = init_states(model.mimi, batch_size=1, sequence_length=most * codec_steps)
    latent = torch.full((1, 1, model.flow_lm.ldim), torch.nan)  # the beginning
    end = most
    for number in range(most):
        model.temp = temperature  # the frame before was perhaps another stream's
        latent, is_end = model._run_flow_lm_and_increment_step(model_state=state, backbone_input_latents=latent)
        if is_end.item() and number >= NOT_BEFORE:
            end = min(end, number + after_end)
        if number >= end:
            return
        audio = model.mimi.decode_from_latent(latent * model.flow_lm.emb_std + model.flow_lm.emb_mean, codec)
        increment_steps(model.mimi, codec, increment=codec_steps)
        yield _pcm(audio[0, 0], fades_in=number == 0)


def _prepared(model: TTSModel, text: str) -> tuple[str, int]:
    """As the model reads it best, "" if nothing is left of it; and how many frames follow the one that is the last."""
    try:
        text, guess = prepare_text_prompt(
            text,
            model.pad_with_spaces_for_short_inputs,
            model.remove_semicolons,
            model.append_terminal_punctuation,
            model.capitalize_first_letter,
            model.replace_characters,
        )
    except ValueError:
        return "", 0
    recommended = model.model_recommended_frames_after_eos
    return text, guess + AFTER_END if recommended is None else recommended


def _pcm(audio: torch.Tensor, fades_in: bool) -> Pcm:
    samples = audio.numpy()
    if fades_in:
        samples[:FADE_IN] *= np.linspace(0, 1, FADE_IN, dtype=np.float32)
    return (np.clip(samples, -1, 1) * 32767).astype("<i2")
