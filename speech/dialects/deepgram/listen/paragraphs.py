"""Paragraphs and utterances of a recording."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from speech.batch.transcription import Segment, Transcription
from speech.dialects.deepgram.listen.formatting import Formatting, alternative
from speech.dialects.deepgram.listen.query import Query
from speech.events import Word

PARAGRAPH_PAUSE = 1.5
"""Seconds between two sentences that begin another paragraph."""
MAX_SENTENCES = 5
SENTENCE_END = (".", "!", "?", "…", "。", "！", "？")


def paragraphs(words: Sequence[Word], formatting: Formatting) -> dict[str, Any]:
    content, texts = [], []
    for paragraph in _paragraphs(words):
        sentences = [_sentence(sentence, formatting) for sentence in paragraph]
        texts.append(" ".join(sentence["text"] for sentence in sentences))
        start, end = round(paragraph[0][0].start, 3), round(paragraph[-1][-1].end, 3)
        content.append({"sentences": sentences, "start": start, "end": end, "num_words": sum(map(len, paragraph))})
    return {"transcript": "\n" + "\n\n".join(texts) if texts else "", "paragraphs": content}


def _sentence(words: Sequence[Word], formatting: Formatting) -> dict[str, Any]:
    text = formatting.join([word.text for word in words])
    return {"text": text, "start": round(words[0].start, 3), "end": round(words[-1].end, 3)}


def _paragraphs(words: Sequence[Word]) -> Iterator[list[list[Word]]]:
    paragraph: list[list[Word]] = []
    for sentence in _sentences(words):
        pause = sentence[0].start - paragraph[-1][-1].end if paragraph else 0.0
        if len(paragraph) == MAX_SENTENCES or pause > PARAGRAPH_PAUSE:
            yield paragraph
            paragraph = []
        paragraph.append(sentence)
    if paragraph:
        yield paragraph


def _sentences(words: Sequence[Word]) -> Iterator[list[Word]]:
    sentence: list[Word] = []
    for word in words:
        sentence.append(word)
        if word.text.rstrip().rstrip("\"”’»)'").endswith(SENTENCE_END):
            yield sentence
            sentence = []
    if sentence:
        yield sentence


def utterances(transcript: Transcription, query: Query) -> list[dict[str, Any]]:
    if query.utterance_split is None:
        segments = transcript.segments
    else:
        segments = list(_split(transcript.words, query.utterance_split))
    return [
        {
            "id": f"{number}",
            "start": round(segment.start, 3),
            "end": round(segment.end, 3),
            "channel": 0,
            **alternative(segment.words, query.formatting),
        }
        for number, segment in enumerate(segments)
    ]


def _split(words: list[Word], pause: float) -> Iterator[Segment]:
    starts = [0, *(number for number, (one, other) in enumerate(pairwise(words), 1) if other.start - one.end > pause)]
    for start, end in pairwise([*starts, len(words)]):
        if start < end:
            yield Segment(words[start:end])
