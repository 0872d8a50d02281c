from itertools import chain

from django import template
from django.conf.locale import LANG_INFO
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from inference.messages import UNKNOWN_LANGUAGE
from speech.library.search import Query
from speech.library.transcript_view import SegmentView
from speech.models import TimedWord
from speech.text.word_spacing import first_words, gap, join_words

register = template.Library()

LOW_CONFIDENCE = 0.15
NO_QUERY = Query("")


@register.simple_tag
def words_of(segment: SegmentView, query: Query | None = None) -> SafeString:
    """Words of a segment, with matches of the search marked. Not a template: a long session has ten thousand words,
    which would take a second to render."""
    texts = [word.text for word in segment.words]
    marks = (query or NO_QUERY).matches(texts) if query else [False] * len(texts)
    gaps = map(gap, ["", *texts], texts)
    words = map(_word, segment.words, marks)
    return mark_safe("".join(chain.from_iterable(zip(gaps, words, strict=True))))  # noqa: S308  (escaped word by word)


def _word(word: TimedWord, is_match: bool) -> str:
    kind = "word" + (" word--unsure" if has_low_confidence(word) else "") + (" word--found" if is_match else "")
    times = "" if word.start is None else f' data-start="{word.start:.2f}" data-end="{word.end:.2f}"'
    return f'<span class="{kind}"{times} title="{_tooltip(word)}">{escape(word.text)}</span>'


def _tooltip(word: TimedWord) -> str:
    """Times and confidence of a word."""
    if word.start is None:
        return "inserted"
    times = f"{word.start:.2f} to {word.end:.2f} s"
    return times if word.confidence is None else f"{times} · {100 * word.confidence:.0f}% confidence"


def has_low_confidence(word: TimedWord) -> bool:
    return word.confidence is not None and word.confidence < LOW_CONFIDENCE


@register.filter
def language_name(code: str) -> str:
    """Name of the language in that language, or its code if unknown."""
    if code == UNKNOWN_LANGUAGE:
        return "not detected"
    return LANG_INFO.get(code, {}).get("name_local", code)


@register.filter
def shortened(text: str, count: int) -> str:
    """The first `count` words, and a mark if there are more."""
    shown = first_words(text, count)
    return text if shown == text else join_words([shown, "…"])
