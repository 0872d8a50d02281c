"""Full-text search in transcripts: one function over SQLite's FTS5 and PostgreSQL's text search.

Words match as prefixes, all of them must occur in the segment, and “quoted words” must be adjacent. Case and accents
are ignored. The newest segments come first.
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
MIN_PREFIX = 3
"""Letters from which a word matches as a prefix: shorter prefixes would match half of all words."""

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
MAX_ID = 2**63 - 1


@dataclass(frozen=True)
class Phrase:
    """Adjacent normalized words."""

    tokens: tuple[str, ...]
    is_exact: bool

    @property
    def is_prefix(self) -> bool:
        return not self.is_exact and len(self.tokens[-1]) >= MIN_PREFIX

    def is_at_start_of(self, words: Sequence[str]) -> bool:
        """Whether the normalized `words` start with this phrase."""
        *whole, last = self.tokens
        if list(words[: len(whole)]) != whole or len(words) <= len(whole):
            return False
        return words[len(whole)].startswith(last) if self.is_prefix else words[len(whole)] == last


class Query:
    """A search as the user typed it."""

    def __init__(self, text: str) -> None:
        parts = ((next(filter(None, found)), not found[2]) for found in _PARTS.findall(text[:MAX_LENGTH]))
        phrases = (Phrase(tuple(tokens(part)), is_exact) for part, is_exact in parts)
        self.text = text.strip()
        self.phrases = [*dict.fromkeys(phrase for phrase in phrases if phrase.tokens)][:MAX_PHRASES]
        self._beginnings = tuple(phrase.tokens[0] for phrase in self.phrases)

    def __bool__(self) -> bool:
        return bool(self.phrases)

    def matches(self, words: Sequence[str]) -> list[bool]:
        """Whether each of these words of a transcript matches the search."""
        found = [False] * len(words)
        indexed = [(token, index) for index, word in enumerate(words) for token in tokens(word)]
        normalized = [token for token, _ in indexed]
        end = 0  # of the matches so far
        for first, (token, index) in enumerate(indexed):
            for phrase in self.phrases if token.startswith(self._beginnings) else ():
                length = len(phrase.tokens)
                if first + length > end and phrase.is_at_start_of(normalized[first : first + length]):
                    end = first + length
            found[index] = found[index] or first < end
        return found

    def _for_sqlite(self, owner: User) -> str:
        text = " AND ".join(f'"{" ".join(p.tokens)}"{"*" if p.is_prefix else ""}' for p in self.phrases)
        return f'owner:"{owner.pk}" AND text:({text})'

    def _for_postgresql(self) -> str:
        return " & ".join(f"({' <-> '.join(p.tokens)}{':*' if p.is_prefix else ''})" for p in self.phrases)


def find(query: Query, owner: User, sessions: SessionQuerySet, limit: int, before: int = MAX_ID) -> list[Segment]:
    """Newest matching segments of the owner's `sessions`, with `session` loaded. `before`: continue after the segment
    with this id."""
    if not query:
        return []
    session_ids, params = sessions.of(owner).order_by().values("pk").query.get_compiler(connection=connection).as_sql()
    if connection.vendor == "sqlite":
        statement, match = SQLITE, query._for_sqlite(owner)
    else:
        statement, match = POSTGRESQL, query._for_postgresql()
    with connection.cursor() as cursor:
        cursor.execute(statement.format(sessions=session_ids), [match, before, *params, limit])
        found = [pk for (pk,) in cursor.fetchall()]
    segments = Segment.objects.select_related("session").in_bulk(found)
    return [segments[pk] for pk in found if pk in segments]
