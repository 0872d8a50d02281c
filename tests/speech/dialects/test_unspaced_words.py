"""Every API joins words as their script is written."""

from speech.batch.transcription import Transcription
from speech.dialects.deepgram.listen.formatting import Formatting, alternative
from speech.dialects.openai.realtime.items import TRANSCRIPTION, Items
from speech.dialects.openai.realtime.session import Session
from speech.dialects.openai.transcript_formats import FORMATS, json_of
from speech.dialogue.turns.turn_taking import TurnTaking
from speech.events import Done, Word

TEXTS = ["今日", "は ", "良い", "天気", "Python"]
TEXT = "今日は 良い天気 Python"
WORDS = [Word(index, 0, text, index, index + 0.5, 0.9) for index, text in enumerate(TEXTS)]


def test_deepgram():
    best = alternative(WORDS, Formatting())
    assert best["transcript"] == TEXT
    assert [word["punctuated_word"] for word in best["words"]] == ["今日", "は", "良い", "天気", "Python"]
    assert alternative(WORDS[:2], Formatting(), partial="良い")["transcript"] == "今日は 良い"


def test_openai_transcriptions():
    transcript = Transcription(list(WORDS))
    assert json_of(transcript)["text"] == TEXT
    _, subtitles = FORMATS["srt"](transcript, model="", granularities=frozenset(), with_logprobs=False)
    assert TEXT in subtitles.decode()


def test_openai_realtime():
    items = Items(Session("session"), is_beta=False)
    sent = [event for word in WORDS for event in items.on_event(word, 0)]
    sent += items.on_event(Done("", len(WORDS)), 0)
    deltas = [event["delta"] for event in sent if event["type"] == f"{TRANSCRIPTION}.delta"]
    (completed,) = (event["transcript"] for event in sent if event["type"] == f"{TRANSCRIPTION}.completed")
    assert "".join(deltas) == completed == TEXT


def test_the_users_turn_in_a_conversation():
    turns = TurnTaking()
    for word in WORDS[:3]:
        turns.on_word(word.index, word.text)
    turns.on_partial("天気")
    assert turns.text == "今日は 良い天気"
