from collections.abc import Callable
from functools import wraps
from itertools import chain
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.approvals import undo
from accounts.approvals.forms import DecisionForm
from accounts.approvals.middleware import approval_not_required
from accounts.credentials.user_request import UserRequest
from accounts.email_addresses import confirms_addresses, has_confirmed_address, is_confirmed
from accounts.models import DecisionError, User
from accounts.models.approval_state import Decision

PER_PAGE = 25
DEACTIVATED = "deactivated"
"""Shown in place of the status of such an account: approval would not give it access."""


def admins_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @wraps(view)
    def guarded(request: UserRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_admin:
            raise PermissionDenied("Only administrators can open this page.")
        return view(request, *args, **kwargs)

    return guarded


@approval_not_required
@require_safe
def status(request: UserRequest) -> HttpResponse:
    if request.user.is_approved:
        return redirect(_app_url())
    context = {
        "config": {"status": request.user.status, "poll": reverse("approval_status_json"), "app": _app_url()},
        "needs_confirmation": confirms_addresses() and not has_confirmed_address(request.user),
    }
    return render(request, "accounts/approval_status.html", context)


@approval_not_required
@require_safe
def status_json(request: UserRequest) -> JsonResponse:
    return JsonResponse({"status": request.user.status})


def _app_url() -> str:
    return resolve_url(settings.LOGIN_REDIRECT_URL)


@admins_only
@require_http_methods(["GET", "POST"])
def approvals(request: UserRequest) -> HttpResponse:
    if request.method == "POST":
        return _decide(request)
    search, status = request.GET.get("q", "").strip(), request.GET.get("status", "")
    matches = User.objects.filter(Q(email__icontains=search) | Q(name__icontains=search))
    users = _with_status(matches, status)
    users = users.annotate(is_confirmed=is_confirmed).select_related("decided_by").pending_first()
    context = {
        "page_obj": Paginator(users, PER_PAGE).get_page(request.GET.get("page")),
        "tabs": _tabs(matches, status),
        "search": search,
        "status": status,
        "shows_confirmed": confirms_addresses(),
        "undo": undo.offer(request.session),
    }
    return render(request, "accounts/approvals.html", context)


def _with_status(users: Any, status: str) -> Any:
    if status == DEACTIVATED:
        return users.filter(is_active=False)
    return users.filter(status=status, is_active=True) if status in User.Status else users


def _tabs(users: Any, status: str) -> list[dict[str, Any]]:
    """The tabs for all accounts and for each status, with the number of matching accounts."""
    by_status = {value: Count("pk", filter=Q(status=value, is_active=True)) for value in User.Status.values}
    is_deactivated = Count("pk", filter=Q(is_active=False))
    counts = users.order_by().aggregate(**by_status, **{DEACTIVATED: is_deactivated}, all=Count("pk"))
    return [
        {"value": value, "label": label, "count": counts[value or "all"], "is_current": value == status}
        for value, label in [("", "All"), *User.Status.choices, (DEACTIVATED, "Deactivated")]
    ]


def _decide(request: UserRequest) -> HttpResponse:
    form = DecisionForm(request.POST)
    if form.is_valid():
        try:
            _apply(request, form)
        except DecisionError as error:
            messages.error(request, str(error))
    for message in chain(*form.errors.values()):
        messages.error(request, str(message))
    return redirect(_list_url(request))


def _apply(request: UserRequest, form: DecisionForm) -> None:
    decision = form.decide(request.user)
    done = "approved" if form.cleaned_data["decision"] == form.APPROVE else "rejected"
    if decision.before:
        undo.remember(request.session, decision, f"{_describe(decision)} {done}.")
    else:
        messages.info(request, f"No change: already {done}.")


def _describe(decision: Decision) -> str:
    if len(decision.before) > 1:
        return f"{len(decision.before)} accounts"
    return str(User.objects.get(pk__in=decision.before))


@admins_only
@require_POST
def undo_decision(request: UserRequest) -> HttpResponse:
    try:
        count = undo.undo(request.session, request.POST.get("decision", ""), request.user)
    except DecisionError as error:
        messages.error(request, str(error))
        return redirect(_list_url(request))
    if count:
        messages.success(request, "Undone." if count == 1 else f"Undone for {count} accounts.")
    else:
        messages.error(request, "Couldn't undo: there is a newer decision. Change it in the list.")
    return redirect(_list_url(request))


def _list_url(request: UserRequest) -> str:
    """The list with the search, filter and page from which the form was submitted."""
    return f"{reverse('approvals')}?{request.GET.urlencode()}"
