"""Kyutai's Pocket TTS: a small model that speaks in real time on a CPU, in voices made from recordings.

The package speaks one text at a time, in two threads of its own that callers can't throttle. Here the streams take
turns on one model: each has its own state, and a chunk is one frame of 80 ms.
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
from inference.engines.tts.kyutai_voices import POCKET_LICENSES
from inference.engines.tts.phrase_synthesizer import Pcm, PhraseSynthesizer, Rendered
from inference.engines.tts.voice_licenses import offered
from inference.loading.device import find_device, plan
from inference.loading.presets import Preset
from inference.messages import SAMPLE_RATE, Voice

_threads = torch.get_num_threads()
from pocket_tts import TTSModel  # noqa: E402
from pocket_tts.models.text_chunking import prepare_text_prompt  # noqa: E402
from pocket_tts.modules.stateful_module import ModelState, increment_steps, init_states  # noqa: E402

torch.set_num_threads(_threads)  # the package sets it to one for the whole process

logger = logging.getLogger(__name__)

FADE_IN = SAMPLE_RATE // 200
"""Samples; the codec's output begins with a click."""
EXTRA_FRAMES_AFTER_END = 2
"""Frames added, as by the package itself, to the number that it guesses from the number of words."""
MIN_FRAMES = 6
"""Frames before an end counts; the model may mistake the silence before the first word for the end."""
MAX_PHRASE = 180
"""Characters of a phrase: the model was trained on single sentences, and skips words beyond some 50 tokens."""

ReportProgress = Callable[[str], None]
"""Receives the current step of a slow operation, as text."""


class PocketError(EngineUnusable):
    """The model's files can't be used; the message says why and what to do."""


def load(slots: int, preset: Preset, report: ReportProgress = logger.info) -> PhraseSynthesizer:
    """`slots`: 0 for as many as the CPU supports. Raises `EngineUnusable`."""
    if preset.dtype != "float32":  # the package supports only these two
        preset = msgspec.structs.replace(preset, dtype="int8")
    intended = plan(preset, find_device("cpu"), slots)
    model = _model(preset, report)
    voices = _voices(model, preset, report)
    report("warming up")
    return PhraseSynthesizer(intended.slots, _Synthesizer(model, voices, preset), MAX_PHRASE)


def _model(preset: Preset, report: ReportProgress) -> TTSModel:
    report(f"loading {preset.model}, {preset.download_mb} MB (downloaded if missing)")
    try:
        is_own = Path(preset.model.partition("@")[0]).suffix in (".yaml", ".yml")
        source = {"config": preset.model} if is_own else {"language": preset.model}
        return TTSModel.load_model(**source, quantize=preset.dtype == "int8")
    except (RequestException, HfHubHTTPError, LocalEntryNotFoundError) as error:
        raise PocketError(
            f"Can't download {preset.label}: {error}. Check the network and restart, or set the preset's model to a "
            "local .yaml configuration."
        ) from error
    except (OSError, ValueError, AssertionError, RuntimeError, SafetensorError) as error:
        raise PocketError(f"{preset.model} isn't a loadable Pocket TTS model: {error}") from error


def _voices(model: TTSModel, preset: Preset, report: ReportProgress) -> dict[Voice, ModelState]:
    sources = _sources(preset)
    voices = offered(sources)
    states: dict[Voice, ModelState] = {}
    for number, voice in enumerate(voices, 1):
        report(f"loading voice {voice.name}, {number} of {len(voices)}")
        try:
            states[voice] = model.get_state_for_audio_prompt(sources[voice])
        except Exception as error:  # network, hub or file: the other voices still work
            logger.warning("skipping voice %s of %s: %s", voice.name, preset.name, error)
    if not states:
        reason = "is neither a list of its voices nor a folder" if voices or not sources else "are non-commercial only"
        raise PocketError(f"{preset.label} has no voices: {preset.voices} {reason}.")
    return states


def _sources(preset: Preset) -> dict[Voice, str | Path]:
    """Name or file of each voice. `preset.voices`: names of the package's voices, or a folder of its files made from
    recordings."""
    language = next(iter(preset.languages))

    def voice(name: str, license_name: str) -> Voice:
        return Voice(name, name.replace("_", " ").title(), language, "", "Neural", license_name)

    folder = Path(preset.voices).expanduser()
    if folder.is_dir():
        return {voice(path.stem, ""): path for path in sorted(folder.glob("*.safetensors"))}
    return {voice(name, POCKET_LICENSES.get(name, "")): name for name in preset.voices.split()}


class _Synthesizer:
    def __init__(self, model: TTSModel, states: Mapping[Voice, ModelState], preset: Preset) -> None:
        self._model = model
        self._states = {voice.name: state for voice, state in states.items()}
        self._default_temperature = model.temp
        self.voices = list(states)
        self._aligner = Aligner() if next(iter(preset.languages)) == "en" else None
        next(self.render(["Hello."], self.voices[0].name, {}))  # so that the first request need not wait for it

    def render(self, words: list[str], voice: str, controls: Mapping[str, float]) -> Iterator[Rendered]:
        temperature = controls.get("variation", self._default_temperature)
        frames: list[Pcm] = []
        for frame in _frames(self._model, self._states[voice], " ".join(words), temperature):
            if frames:
                yield Rendered(frames[-1], SAMPLE_RATE, None)  # one frame late: the last one carries the times
            frames.append(frame)
        pcm = np.concatenate([np.zeros(0, "<i2"), *frames])
        yield Rendered(frames[-1] if frames else pcm, SAMPLE_RATE, self._times(words, pcm))

    def _times(self, words: Sequence[str], pcm: Pcm) -> list[tuple[float, float]]:
        if self._aligner is None or not len(pcm):
            spans = by_length(words, len(pcm) / SAMPLE_RATE)
        else:
            spans = self._aligner.align(words, soxr.resample(pcm / np.float32(32768), SAMPLE_RATE, RATE))
        return [(span.start, span.end) for span in spans]


@torch.no_grad()  # type: ignore[untyped-decorator]
def _frames(model: TTSModel, voice: ModelState, text: str, temperature: float) -> Iterator[Pcm]:
    """Frames as from the package's `generate_audio_stream`, without its splitting of the text."""
    text, after_end = _prepared(model, text)
    if not text:
        return
    state = deepcopy(voice)
    tokens = model.flow_lm.conditioner.prepare(text)
    max_frames = model._estimate_max_gen_len(tokens.shape[1])
    model._expand_kv_cache(state, sequence_length=model._flow_lm_current_end(state) + tokens.shape[1] + max_frames)
    model._run_flow_lm_and_increment_step(model_state=state, text_tokens=tokens)
    codec_steps = int(model.mimi.encoder_frame_rate / model.mimi.frame_rate)
    codec = init_states(model.mimi, batch_size=1, sequence_length=max_frames * codec_steps)
    latent = torch.full((1, 1, model.flow_lm.ldim), torch.nan)  # the beginning
    end = max_frames
    for number in range(max_frames):
        model.temp = temperature  # the previous frame may have been another stream's
        latent, is_end = model._run_flow_lm_and_increment_step(model_state=state, backbone_input_latents=latent)
        if is_end.item() and number >= MIN_FRAMES:
            end = min(end, number + after_end)
        if number >= end:
            return
        audio = model.mimi.decode_from_latent(latent * model.flow_lm.emb_std + model.flow_lm.emb_mean, codec)
        increment_steps(model.mimi, codec, increment=codec_steps)
        yield _pcm(audio[0, 0], fades_in=number == 0)


def _prepared(model: TTSModel, text: str) -> tuple[str, int]:
    """Text in the form that suits the model, "" if nothing remains, and the number of frames after its end signal."""
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
    return text, guess + EXTRA_FRAMES_AFTER_END if recommended is None else recommended


def _pcm(audio: torch.Tensor, fades_in: bool) -> Pcm:
    samples = audio.numpy()
    if fades_in:
        samples[:FADE_IN] *= np.linspace(0, 1, FADE_IN, dtype=np.float32)
    return (np.clip(samples, -1, 1) * 32767).astype("<i2")
