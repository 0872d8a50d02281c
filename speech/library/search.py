"""Searching everything that was said: one function over SQLite's FTS5 and PostgreSQL's text search.

A word finds those that begin with it, and several words find what has them all; “quoted” words stand next to each
other. Case and accents make no difference. The newest is found first.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from accounts.models import User
from speech.models import Segment, SessionQuerySet
from speech.text.tokenize import tokens

MAX_LENGTH = 200  # characters
MAX_PHRASES = 12
PREFIX_FROM = 3
"""Letters from which on a word finds longer ones, too: shorter beginnings find half of all words."""

_PARTS = re.compile(r'"([^"“”]+)"|“([^"“”]+)”|(\S+)')

SQLITE = """
SELECT segment.id FROM speech_search
CROSS JOIN speech_segment segment ON segment.id = speech_search.rowid
WHERE speech_search MATCH %s AND speech_search.rowid < %s AND segment.replaced_by_id IS NULL
AND segment.session_id IN ({sessions})
ORDER BY speech_search.rowid DESC LIMIT %s
"""
POSTGRESQL = """
SELECT segment.id FROM speech_segment segment
WHERE segment.search @@ to_tsquery('simple', %s) AND segment.id < %s AND segment.replaced_by_id IS NULL
AND segment.session_id IN ({sessions})
ORDER BY segment.id DESC LIMIT %s
"""
END = 2**63 - 1


@dataclass(frozen=True)
class Phrase:
    """Folded words that stand next to each other."""

    tokens: tuple[str, ...]
    is_exact: bool

    @property
    def is_prefix(self) -> bool:
        return not self.is_exact and len(self.tokens[-1]) >= PREFIX_FROM

    def begins(self, words: Sequence[str]) -> bool:
        """Whether folded `words` begin with it."""
        *whole, last = self.tokens
        if list(words[: len(whole)]) != whole or len(words) <= len(whole):
            return False
        return words[len(whole)].startswith(last) if self.is_prefix else words[len(whole)] == last


class Query:
    """What somebody typed into the search field."""

    def __init__(self, text: str) -> None:
        parts = ((next(filter(None, found)), not found[2]) for found in _PARTS.findall(text[:MAX_LENGTH]))
        phrases = (Phrase(tuple(tokens(part)), is_exact) for part, is_exact in parts)
        self.text = text.strip()
        self.phrases = [phrase for phrase in phrases if phrase.tokens][:MAX_PHRASES]

    def __bool__(self) -> bool:
        return bool(self.phrases)

    def matches(self, words: Sequence[str]) -> list[bool]:
        """Which of these words, as they are written, were searched for."""
        found = [False] * len(words)
        folded = [(token, at) for at, word in enumerate(words) for token in tokens(word)]
        only = [token for token, _ in folded]
        for first in range(len(folded)):
            for phrase in self.phrases:
                if phrase.begins(only[first : first + len(phrase.tokens)]):
                    for _, at in folded[first : first + len(phrase.tokens)]:
                        found[at] = True
        return found

    def _for_sqlite(self, owner: User) -> str:
        said = " AND ".join(f'"{" ".join(p.tokens)}"{"*" if p.is_prefix else ""}' for p in self.phrases)
        return f'owner:"{owner.pk}" AND text:({said})'

    def _for_postgresql(self) -> str:
        return " & ".join(f"({' <-> '.join(p.tokens)}{':*' if p.is_prefix else ''})" for p in self.phrases)


def find(query: Query, owner: User, sessions: SessionQuerySet, limit: int, before: int = END) -> list[Segment]:
    """The newest segments that say it, of the owner's `sessions`, their sessions at hand. `before`: go on after the
    segment of this id."""
    if not query:
        return []
    only, params = sessions.of(owner).order_by().values("pk").query.get_compiler(connection=connection).as_sql()
    if connection.vendor == "sqlite":
        statement, match = SQLITE, query._for_sqlite(owner)
    else:
        statement, match = POSTGRESQL, query._for_postgresql()
    with connection.cursor() as cursor:
        cursor.execute(statement.format(sessions=only), [match, before, *params, limit])
        found = [pk for (pk,) in cursor.fetchall()]
    segments = Segment.objects.select_related("session").in_bulk(found)
    return [segments[pk] for pk in found if pk in segments]
