"""Word error rate of synthesized speech: `python -m benchmarks.read_back [--engine piper espeak]`.

Twenty sentences of different kinds are normalized as on the site, synthesized by an engine and transcribed by
Moonshine. Prints the word error rate and the sentences with errors.
"""

import argparse
import re

import jiwer
import numpy as np

from inference.engine import TtsEngine
from inference.engines import registry
from inference.engines.stt.moonshine import Moonshine
from inference.messages import SAMPLE_RATE, Audio, Open
from speech.synthesis.text_normalization.normalizer import NormalizedWord, TextNormalizer
from tests.support.speech.stt_events import text, transcribe

SENTENCES = [
    "The ships were waiting in the morning, and the captain was reading a letter from his mother.",
    "Good morning! How can I help you today?",
    "No.",
    "On March 15, 2024 at 2:30 pm we sold 1,250 tickets for $18.50 each.",
    "It is 12% more than in 2019, and 3 times as much as in the 1980s.",
    "Dr. Smith lives at 221 Baker St., doesn't she?",
    "The temperature fell to -4 °C; the wind blew at 60 km/h.",
    "Please write to ada@example.org, or look at www.example.org/help.",
    "She sells sea shells by the sea shore, and the shells she sells are sea shells for sure.",
    "Antidisestablishmentarianism is a word that hardly anybody has ever needed.",
    "NASA and the BBC agreed, but the FBI did not.",
    "“Where were you?” he asked. “At home,” she said, “as always.”",
    "First the flour, then the eggs, then the milk: stir it well, and let it rest for ten minutes.",
    "Chapter 7. The house at the end of the road had been empty for years.",
    "I have read the red book that you read to me when I was a child.",
    "The 1st, the 2nd and the 3rd prize went to Paris, Tokyo and Nairobi.",
    "Quantum computers use qubits, which may be both zero and one until somebody measures them.",  # words: quoted
    "Call 555-0199 before 6 pm, or after the 21st of May.",
    "Well-known, state-of-the-art, twenty-four-hour service: what more could one want?",
    "If it rains tomorrow, which I doubt, we shall stay inside, light a fire, play cards, drink tea, tell the old "
    "stories once again, and wait until the clouds have gone and the garden smells of wet earth and roses.",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", nargs="*", default=["piper", "espeak"], help="TTS engines to measure")
    for name in parser.parse_args().engine:
        _read_back(name)


def _read_back(name: str) -> None:
    tts_engine, stt_engine = registry.load(name, 1), Moonshine(1)
    references, transcripts = [], []
    print(f"== {name}")
    for sentence in SENTENCES:
        words = [word.text for word in _normalize(sentence)]
        silence = np.zeros(SAMPLE_RATE // 2, np.int16)
        audio = np.concatenate([silence, _speak(tts_engine, words), silence, silence])
        transcript = text(transcribe(stt_engine, audio))
        references.append(_plain(" ".join(words)))
        transcripts.append(_plain(" ".join(word.text for word in _normalize(transcript))))
        errors = jiwer.process_words(references[-1], transcripts[-1])
        print(f"{errors.wer:.2f}  {sentence}" + (f"\n      {transcript}" if errors.wer else ""), flush=True)
    print(f"word error rate {jiwer.wer(references, transcripts):.3f}\n")


def _normalize(sentence: str) -> list[NormalizedWord]:
    normalizer = TextNormalizer("en")
    return [word for word in [*normalizer.feed(sentence), *normalizer.finish()] if not word.is_pause]


def _speak(engine: TtsEngine, words: list[str]) -> np.ndarray:
    engine.open(0, Open("read-back", "", 0.0, 0, "en"))
    engine.flush(0)
    output, text = [], " ".join(words)
    while events := engine.step({0: text}).get(0):
        output += events
        text = ""
    engine.close(0)
    return np.frombuffer(b"".join(event.pcm for event in output if isinstance(event, Audio)), "<i2")


def _plain(words: str) -> str:
    """Only letters and digits: hyphens and apostrophes are inaudible."""
    return " ".join(re.findall(r"[^\W_]+", words.lower().replace("’", "").replace("'", "")))


if __name__ == "__main__":
    main()
