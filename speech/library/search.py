"""Full-text search in transcripts: one function over SQLite's FTS5 and PostgreSQL's text search.

Words match as prefixes, all of them must occur in the segment, and “quoted words” must be adjacent. Texts in scripts
without spaces are found anywhere. `speech.text.folding` decides what is the same word, for the query, for the index of
both databases, and for the marks on results.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, islice
from uuid import UUID

from django.db import connection

from accounts.models import User
from speech.models import Segment, Session, SessionQuerySet, Tag
from speech.text.folding import normalize, tokens, tokens_in

MAX_LENGTH = 1_000  # characters
MAX_TITLES = 1_000
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
WHERE segment.search @@ %s::tsquery AND segment.id < %s AND segment.replaced_by_id IS NULL
AND segment.session_id IN ({sessions})
ORDER BY segment.id DESC LIMIT %s
"""
MAX_ID = 2**63 - 1


@dataclass(frozen=True)
class Phrase:
    """Adjacent folded words."""

    tokens: tuple[str, ...]
    is_exact: bool

    @property
    def is_prefix(self) -> bool:
        return not self.is_exact and len(self.tokens[-1]) >= MIN_PREFIX

    @cached_property
    def sought(self) -> str:
        """What a text contains that has a space before and after each token."""
        return f" {' '.join(self.tokens)}{'' if self.is_prefix else ' '}"


class Query:
    """A search as the user typed it. `problem` says why it can't find anything in transcripts, if so."""

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        self.problem = ""
        self.phrases: list[Phrase] = []
        if len(self.text) > MAX_LENGTH:
            self.problem = (
                f"The search has {len(self.text)} characters, and the limit is {MAX_LENGTH}. Search for a part of it."
            )
            return
        parts = ((next(filter(None, found)), not found[2]) for found in _PARTS.findall(self.text))
        phrases = (Phrase(tuple(tokens(part)), is_exact) for part, is_exact in parts)
        self.phrases = [*dict.fromkeys(phrase for phrase in phrases if phrase.tokens)]
        if self.text and not self.phrases:
            self.problem = f"“{self.text}” has no letters or digits, and only words are searched. Enter a word."

    def __bool__(self) -> bool:
        return bool(self.phrases)

    def matches(self, words: Sequence[str]) -> list[bool]:
        """Whether each of these words of a transcript matches the search."""
        indexed = [(token, index) for index, word in enumerate(words) for token in tokens(word)]
        found = [False] * len(words)
        for (_, index), is_match in zip(indexed, self._marks([token for token, _ in indexed]), strict=True):
            found[index] = found[index] or is_match
        return found

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Start and end of each part of a text that matches the search."""
        spans: list[tuple[int, int]] = []
        was_match = False
        found = tokens_in(text)
        for (_, start, end), is_match in zip(found, self._marks([token for token, _, _ in found]), strict=True):
            if is_match and was_match:
                spans[-1] = spans[-1][0], end
            elif is_match:
                spans.append((start, end))
            was_match = is_match
        return spans

    def _marks(self, words: Sequence[str]) -> list[bool]:
        """Whether each of these tokens is of a match."""
        text = f" {' '.join(words)} "
        found = bytearray(len(text))
        for phrase in self.phrases:
            sought = phrase.sought
            start = text.find(sought)
            while start >= 0:
                found[start : start + len(sought)] = b"\x01" * len(sought)
                start = text.find(sought, start + 1)
        lengths = accumulate((len(word) + 1 for word in words), initial=1)
        return [found[start] > 0 for _, start in zip(words, lengths, strict=False)]

    def is_in_title(self, title: str) -> bool:
        """Whether a title contains the text of the search, in the middle of a word too."""
        return self._folded in normalize(title) if self._folded else self.text in title

    def is_name(self, name: str) -> bool:
        return self._folded == normalize(name) if self._folded else self.text == name

    @cached_property
    def _folded(self) -> str:
        return normalize(self.text)

    def _for_sqlite(self, owner: User) -> str:
        text = " AND ".join(f'"{" ".join(p.tokens)}"{"*" if p.is_prefix else ""}' for p in self.phrases)
        return f'owner:"{owner.pk}" AND text:({text})'

    def _for_postgresql(self) -> str:
        return " & ".join(f"({_adjacent(p.tokens)}{':*' if p.is_prefix else ''})" for p in self.phrases)


def _adjacent(words: Sequence[str]) -> str:
    return " <-> ".join(f"'{word}'" for word in words)


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


def find_titles(query: Query, owner: User) -> set[UUID]:
    """Newest of the owner's sessions with the text of the search in their title, or with a tag of that name. Compared
    here, because SQLite ignores the case of ASCII letters only."""
    if not 0 < len(query.text) <= MAX_LENGTH:
        return set()
    sessions = Session.objects.of(owner)
    tags = [tag for tag in Tag.objects.filter(owner=owner) if query.is_name(tag.name)]
    titles = sessions.exclude(title="").order_by("-created_at").values_list("pk", "title")
    found = (pk for pk, title in titles.iterator() if query.is_in_title(title))
    tagged = sessions.filter(tags__in=tags).order_by("-created_at").values_list("pk", flat=True)
    return {*islice(found, MAX_TITLES), *tagged[:MAX_TITLES]}
