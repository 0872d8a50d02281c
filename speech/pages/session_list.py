"""The list of sessions: sorting, filters, search, and bulk actions."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import groupby
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.credentials.user_request import UserRequest
from speech.library.exports import FORMATS
from speech.library.search import MAX_ID, Query, find, find_titles
from speech.models import Segment, Session, SessionQuerySet, Tag
from speech.pages import trash
from speech.text.whole_number import whole_number

PER_PAGE = 30
MAX_TITLES = 5
CONTEXT = 80
"""Characters shown before and after a match."""
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(9998, 12, 31)
"""No session is from another day."""

KINDS = {
    "": ("Any", Q()),
    "conversation": ("Conversations", Q(conversation__isnull=False)),
    "transcript": ("Without conversations", Q(conversation__isnull=True)),
}
SORTS = {
    "": ("Newest first", ("-created_at", "-id")),
    "oldest": ("Oldest first", ("created_at", "id")),
    "longest": ("Longest first", ("-samples", "-id")),
    "title": ("Title", ("title", "opening", "id")),
}


class FilterForm(forms.Form):
    q = forms.CharField(required=False)
    sort = forms.ChoiceField(choices=[(key, label) for key, (label, _) in SORTS.items()], required=False)
    kind = forms.ChoiceField(choices=[(key, label) for key, (label, _) in KINDS.items()], required=False)
    tag = forms.CharField(required=False)
    language = forms.CharField(required=False)
    since = forms.DateField(required=False)
    until = forms.DateField(required=False)

    @property
    def values(self) -> dict[str, Any]:
        """Values of the valid fields; invalid ones are None."""
        self.is_valid()
        return {name: self.cleaned_data.get(name) for name in self.fields}

    def filter(self, sessions: SessionQuerySet) -> SessionQuerySet:
        values = self.values
        sessions = sessions.filter(KINDS[values["kind"] or ""][1])
        if values["tag"]:
            sessions = sessions.filter(tags__name=values["tag"])
        if values["language"]:
            sessions = sessions.filter(language=values["language"])
        if values["since"]:
            sessions = sessions.filter(created_at__gte=_local_time(values["since"], time.min))
        if values["until"]:
            sessions = sessions.filter(created_at__lte=_local_time(values["until"], time.max))
        return sessions


def _local_time(day: date, at: time) -> datetime:
    """Days at the edges of the calendar have no time in UTC, which the database needs."""
    return timezone.make_aware(datetime.combine(min(max(day, FIRST_DAY), LAST_DAY), at))


@require_safe
def sessions(request: UserRequest) -> HttpResponse:
    own_sessions = Session.objects.of(request.user).started().select_related("conversation")
    form = FilterForm(request.GET)
    filtered, values = form.filter(own_sessions), form.values
    context = {
        "values": values,
        "is_filtered": any(values[name] for name in ("kind", "tag", "language", "since", "until")),
        "sorts": [(key, label) for key, (label, _) in SORTS.items()],
        "kinds": [(key, label) for key, (label, _) in KINDS.items()],
        "tags": Tag.objects.filter(owner=request.user),
        "languages": list(own_sessions.order_by("language").values_list("language", flat=True).distinct()),
        "formats": FORMATS.values(),
        "undo": trash.pop_undo(request),
        "usage": own_sessions.usage(),
    }
    query = Query(values["q"] or "")
    if query.text:
        return render(request, "speech/search_results.html", context | _search_results(request, query, filtered))
    order = SORTS[values["sort"] or ""][1]
    page = Paginator(filtered.order_by(*order).prefetch_related("tags"), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "speech/session_list.html", context | {"page_obj": page, "by_day": "created" in order[0]})


# --- Search -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Excerpt:
    """A part of a segment around a match."""

    segment: Segment
    parts: list[tuple[str, bool]]
    """Its text in parts, and whether each is a match."""
    has_start: bool
    """Whether the excerpt includes the start of the segment."""
    has_end: bool


def _search_results(request: UserRequest, query: Query, sessions: SessionQuerySet) -> dict[str, Any]:
    before = whole_number(request.GET.get("before", ""))
    is_first = before is None
    limit = PER_PAGE + 1
    segments = find(query, request.user, sessions, limit, MAX_ID if before is None else before)
    shown = segments[:PER_PAGE]
    return {
        "query": query,
        "title_matches": _title_matches(request, query, sessions) if is_first else (),
        "results": list(_by_session(query, shown)),
        "older": shown[-1].pk if len(segments) == limit else None,
    }


def _title_matches(request: UserRequest, query: Query, sessions: SessionQuerySet) -> SessionQuerySet:
    return sessions.filter(pk__in=find_titles(query, request.user)).distinct().prefetch_related("tags")[:MAX_TITLES]


def _by_session(query: Query, segments: list[Segment]) -> Iterator[tuple[Session, list[Excerpt]]]:
    for session, group in groupby(segments, lambda segment: segment.session):
        excerpts = [_excerpt(query, segment) for segment in group]
        yield session, sorted(excerpts, key=lambda excerpt: excerpt.segment.start)


def _excerpt(query: Query, segment: Segment) -> Excerpt:
    text, spans = segment.text, query.spans(segment.text)
    match_start, match_end = spans[0] if spans else (0, 0)
    first, end = _start_of_excerpt(text, match_start), _end_of_excerpt(text, match_end)
    parts, last = [], first
    for start, stop in spans:
        if stop <= end:
            parts += [(text[last:start], False), (text[start:stop], True)]
            last = stop
    parts.append((text[last:end], False))
    return Excerpt(segment, [part for part in parts if part[0]], first == 0, end >= len(text))


def _start_of_excerpt(text: str, match_start: int) -> int:
    """At a space, if there is one: in some scripts there is none."""
    start = match_start - CONTEXT
    return 0 if start <= 0 else text.find(" ", start, match_start) + 1 or start


def _end_of_excerpt(text: str, match_end: int) -> int:
    end = match_end + CONTEXT
    if end >= len(text):
        return len(text)
    space = text.rfind(" ", match_end, end)
    return end if space < 0 else space


# --- Bulk actions -----------------------------------------------------------------------------------------------------


@require_POST
def bulk(request: UserRequest) -> HttpResponse:
    selected = Session.objects.of(request.user).filter(pk__in=_ids(request))
    if not selected.exists():
        messages.error(request, "No sessions selected. Select some first.")
    elif request.POST.get("do") == "delete":
        trash.soft_delete(request, selected)
    else:
        _tag(request, selected)
    return redirect(f"{reverse('sessions')}?{request.GET.urlencode()}")


def _ids(request: HttpRequest) -> list[Any]:
    field = forms.UUIDField()
    return [field.clean(pk) for pk in request.POST.getlist("session") if _is_id(field, pk)]


def _is_id(field: forms.UUIDField, value: str) -> bool:
    try:
        field.clean(value)
    except forms.ValidationError:
        return False
    return True


def _tag(request: UserRequest, selected: SessionQuerySet) -> None:
    tags = Tag.get_or_create_named(request.user, [request.POST.get("tag", "")])
    if not tags:
        messages.error(request, "Enter a tag first.")
        return
    is_removal = request.POST.get("do") == "untag"
    (tags[0].sessions.remove if is_removal else tags[0].sessions.add)(*selected)
    done, preposition = ("Removed", "from") if is_removal else ("Added", "to")
    messages.success(request, f"{done} “{tags[0]}” {preposition} {_count(len(selected))}.")


def _count(sessions: int) -> str:
    return "1 session" if sessions == 1 else f"{sessions} sessions"
