from django import template
from django.conf.locale import LANG_INFO
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from inference.messages import UNKNOWN_LANGUAGE
from speech.library.search import Query
from speech.library.transcript_view import SegmentView
from speech.models import TimedWord

register = template.Library()

LOW_CONFIDENCE = 0.15
NO_QUERY = Query("")


@register.simple_tag
def words_of(utterance: SegmentView, query: Query | None = None) -> SafeString:
    """An utterance, word by word; those that were searched for are marked. A long session has ten thousand words,
    which templates of their own would take a second for."""
    texts = [word.text for word in utterance.words]
    marks = (query or NO_QUERY).matches(texts) if query else [False] * len(texts)
    return mark_safe(" ".join(map(_word, utterance.words, marks)))  # noqa: S308  (escaped word by word)


def _word(word: TimedWord, is_found: bool) -> str:
    kind = "word" + (" word--unsure" if is_unsure(word) else "") + (" word--found" if is_found else "")
    times = "" if word.start is None else f' data-start="{word.start:.2f}" data-end="{word.end:.2f}"'
    return f'<span class="{kind}"{times} title="{as_percent(word)}">{escape(word.text)}</span>'


def as_percent(word: TimedWord) -> str:
    """When a word was spoken, and how sure the engine was of it."""
    if word.start is None:
        return "written in"
    times = f"{word.start:.2f} to {word.end:.2f} s"
    return times if word.confidence is None else f"{times} · {100 * word.confidence:.0f} % sure"


def is_unsure(word: TimedWord) -> bool:
    return word.confidence is not None and word.confidence < LOW_CONFIDENCE


@register.filter
def language_name(code: str) -> str:
    """In the language itself, or the code where the name is not known."""
    if code == UNKNOWN_LANGUAGE:
        return "not found out"
    return LANG_INFO.get(code, {}).get("name_local", code)
