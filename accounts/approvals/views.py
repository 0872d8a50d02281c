from collections.abc import Callable
from functools import wraps
from itertools import chain
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef, Q
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.approvals import undo
from accounts.approvals.forms import DecisionForm
from accounts.approvals.middleware import approval_not_required
from accounts.credentials.user_request import UserRequest
from accounts.models import DecisionError, User
from accounts.models.approval_state import Decision

PER_PAGE = 25

is_confirmed = Exists(EmailAddress.objects.filter(user=OuterRef("pk"), email=OuterRef("email"), verified=True))


def admins_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @wraps(view)
    def guarded(request: UserRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_admin:
            raise PermissionDenied("This page is for administrators, and your account is none. Ask one of them.")
        return view(request, *args, **kwargs)

    return guarded


# --- Where one stands -------------------------------------------------------------------------------------------------


@approval_not_required
@require_safe
@never_cache
def status(request: UserRequest) -> HttpResponse:
    if request.user.is_approved:
        return redirect(_app())
    context = {
        "config": {"status": request.user.status, "poll": reverse("standing_json"), "app": _app()},
        "asks_to_confirm": _confirms() and not User.objects.filter(is_confirmed, pk=request.user.pk).exists(),
    }
    return render(request, "accounts/standing.html", context)


@approval_not_required
@require_safe
@never_cache
def status_json(request: UserRequest) -> JsonResponse:
    return JsonResponse({"status": request.user.status})


def _app() -> str:
    return resolve_url(settings.LOGIN_REDIRECT_URL)


def _confirms() -> bool:
    return settings.ACCOUNT_EMAIL_VERIFICATION != "none"


# --- Deciding ---------------------------------------------------------------------------------------------------------


@admins_only
@require_http_methods(["GET", "POST"])
@never_cache
def approvals(request: UserRequest) -> HttpResponse:
    if request.method == "POST":
        return _decide(request)
    search, status = request.GET.get("q", "").strip(), request.GET.get("status", "")
    found = User.objects.filter(Q(email__icontains=search) | Q(name__icontains=search))
    users = found.filter(status=status) if status in User.Status else found
    users = users.annotate(is_confirmed=is_confirmed).select_related("decided_by").pending_first()
    context = {
        "page_obj": Paginator(users, PER_PAGE).get_page(request.GET.get("page")),
        "tabs": _tabs(found, status),
        "search": search,
        "status": status,
        "shows_confirmed": _confirms(),
        "undo": undo.offer(request.session),
    }
    return render(request, "accounts/approvals.html", context)


def _tabs(found: Any, status: str) -> list[dict[str, Any]]:
    """All, and each status, with how many of the accounts found have it."""
    counts = found.order_by().aggregate(
        **{value: Count("pk", filter=Q(status=value)) for value in User.Status.values}, all=Count("pk")
    )
    return [
        {"value": value, "label": label, "count": counts[value or "all"], "is_current": value == status}
        for value, label in [("", "All"), *User.Status.choices]
    ]


def _decide(request: UserRequest) -> HttpResponse:
    form = DecisionForm(request.POST)
    if form.is_valid():
        try:
            _apply(request, form)
        except DecisionError as refused:
            messages.error(request, str(refused))
    for error in chain(*form.errors.values()):
        messages.error(request, str(error))
    return redirect(_list_url(request))


def _apply(request: UserRequest, form: DecisionForm) -> None:
    decision = form.decide(request.user)
    done = "approved" if form.cleaned_data["decision"] == form.APPROVE else "rejected"
    if decision.before:
        undo.remember(request.session, decision, f"{_described(decision)} {done}.")
    else:
        messages.info(request, f"Nothing changed: already {done}.")


def _described(decision: Decision) -> str:
    if len(decision.before) > 1:
        return f"{len(decision.before)} accounts"
    return str(User.objects.get(pk__in=decision.before))


@admins_only
@require_POST
def undo_decision(request: UserRequest) -> HttpResponse:
    try:
        count = undo.undo(request.session, request.POST.get("decision", ""), request.user)
    except DecisionError as refused:
        messages.error(request, str(refused))
        return redirect(_list_url(request))
    if count:
        messages.success(request, "Undone." if count == 1 else f"Undone for {count} accounts.")
    else:
        messages.error(request, "Nothing was undone: something else was decided since. Change it in the list.")
    return redirect(_list_url(request))


def _list_url(request: UserRequest) -> str:
    """The list as it was searched, filtered and turned to when the form was sent."""
    return f"{reverse('approvals')}?{request.GET.urlencode()}"
