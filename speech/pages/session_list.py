"""The list of what a user keeps: sorted, filtered, searched; and what is done to many at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time
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
from speech.library.search import END, MAX_LENGTH, Query, find
from speech.models import Segment, Session, SessionQuerySet, Tag
from speech.pages import trash

PER_PAGE = 30
MAX_TITLES = 5
AROUND = 14
"""Words told before and after what was found."""

SORTS = {
    "": ("Newest first", ("-created_at", "-id")),
    "oldest": ("Oldest first", ("created_at", "id")),
    "longest": ("Longest first", ("-samples", "-id")),
    "title": ("By title", ("title", "opening", "id")),
}


class FilterForm(forms.Form):
    q = forms.CharField(max_length=MAX_LENGTH, required=False)
    sort = forms.ChoiceField(choices=[(key, label) for key, (label, _) in SORTS.items()], required=False)
    tag = forms.CharField(required=False)
    language = forms.CharField(required=False)
    since = forms.DateField(required=False)
    until = forms.DateField(required=False)

    @property
    def wanted(self) -> dict[str, Any]:
        """What could be understood; the rest is not asked for."""
        self.is_valid()
        return {name: self.cleaned_data.get(name) for name in self.fields}

    def narrow(self, sessions: SessionQuerySet) -> SessionQuerySet:
        wanted = self.wanted
        if wanted["tag"]:
            sessions = sessions.filter(tags__name=wanted["tag"])
        if wanted["language"]:
            sessions = sessions.filter(language=wanted["language"])
        if wanted["since"]:
            sessions = sessions.filter(created_at__gte=_midnight(wanted["since"], time.min))
        if wanted["until"]:
            sessions = sessions.filter(created_at__lte=_midnight(wanted["until"], time.max))
        return sessions


def _midnight(day: Any, at: time) -> datetime:
    return timezone.make_aware(datetime.combine(day, at))


@require_safe
def sessions(request: UserRequest) -> HttpResponse:
    mine = Session.objects.of(request.user).begun()
    form = FilterForm(request.GET)
    chosen, wanted = form.narrow(mine), form.wanted
    context = {
        "wanted": wanted,
        "is_filtered": any(wanted[name] for name in ("tag", "language", "since", "until")),
        "sorts": [(key, label) for key, (label, _) in SORTS.items()],
        "tags": Tag.objects.filter(owner=request.user),
        "languages": list(mine.order_by("language").values_list("language", flat=True).distinct()),
        "formats": FORMATS.values(),
        "undo": trash.offer(request),
        "usage": mine.usage(),
    }
    query = Query(wanted["q"] or "")
    if query.text:
        return render(request, "speech/found.html", context | _search_results(request, query, chosen))
    order = SORTS[wanted["sort"] or ""][1]
    page = Paginator(chosen.order_by(*order).prefetch_related("tags"), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "speech/session_list.html", context | {"page_obj": page, "by_day": "created" in order[0]})


# --- Searching --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Excerpt:
    """A part of an utterance in which something was found."""

    segment: Segment
    words: list[tuple[str, bool]]
    """And whether each was searched for."""
    is_beginning: bool
    is_end: bool


def _search_results(request: UserRequest, query: Query, chosen: SessionQuerySet) -> dict[str, Any]:
    before = request.GET.get("before", "")
    is_first = not before.isdecimal()
    limit = PER_PAGE + 1
    segments = find(query, request.user, chosen, limit, END if is_first else min(int(before[:19]), END))
    shown = segments[:PER_PAGE]
    titled = Q(title__icontains=query.text) | Q(tags__name__iexact=query.text)
    return {
        "query": query,
        "titled": chosen.filter(titled).distinct().prefetch_related("tags")[:MAX_TITLES] if is_first else (),
        "found": list(_by_session(query, shown)),
        "older": shown[-1].pk if len(segments) == limit else None,
    }


def _by_session(query: Query, segments: list[Segment]) -> Iterator[tuple[Session, list[Excerpt]]]:
    for session, of_it in groupby(segments, lambda segment: segment.session):
        passages = [_excerpt(query, segment) for segment in of_it]
        yield session, sorted(passages, key=lambda passage: passage.segment.start)


def _excerpt(query: Query, segment: Segment) -> Excerpt:
    words = segment.text.split()
    marks = query.matches(words)
    middle = marks.index(True) if True in marks else 0
    first, end = max(0, middle - AROUND), middle + AROUND + 1
    return Excerpt(segment, list(zip(words, marks, strict=True))[first:end], first == 0, end >= len(words))


# --- Many at once -----------------------------------------------------------------------------------------------------


@require_POST
def bulk(request: UserRequest) -> HttpResponse:
    chosen = Session.objects.of(request.user).filter(pk__in=_ids(request))
    if not chosen.exists():
        messages.error(request, "Nothing was changed: tick the sessions that you mean first.")
    elif request.POST.get("do") == "delete":
        trash.soft_delete(request, chosen)
    else:
        _tag(request, chosen)
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


def _tag(request: UserRequest, chosen: SessionQuerySet) -> None:
    tags = Tag.named(request.user, [request.POST.get("tag", "")])
    if not tags:
        messages.error(request, "Nothing was tagged: write the tag first.")
        return
    for session in chosen:
        (session.tags.remove if request.POST.get("do") == "untag" else session.tags.add)(*tags)
    done = "was taken off" if request.POST.get("do") == "untag" else "was put on"
    messages.success(request, f"“{tags[0]}” {done} {_count(len(chosen))}.")


def _count(sessions: int) -> str:
    return "one session" if sessions == 1 else f"{sessions} sessions"
