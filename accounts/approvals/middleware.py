"""Who is not approved sees where they stand and their own account, and nothing else: a view is closed to them unless
it says otherwise."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.deprecation import MiddlewareMixin

from accounts.credentials.principal import approval_problem

View = Callable[..., Any]
ALLAUTH_VIEWS = ("allauth.account.", "allauth.mfa.", "allauth.usersessions.")


def approval_not_required(view: View) -> View:
    view.approval_required = False  # type: ignore[attr-defined]
    return view


class ApprovalRequiredMiddleware(MiddlewareMixin):
    """After Django's LoginRequiredMiddleware, which has sent the anonymous to the login page."""

    def process_view(self, request: HttpRequest, view: View, args: Any, kwargs: Any) -> HttpResponse | None:
        user = request.user
        if not user.is_authenticated or user.is_approved or _is_open(view):
            return None
        if _is_api(view) or "text/html" not in request.headers.get("Accept", "text/html"):
            return JsonResponse(approval_problem(user), status=403)
        return redirect("standing")


def _is_open(view: View) -> bool:
    if not getattr(view, "approval_required", True):
        return True
    if getattr(view, "__module__", "").startswith(ALLAUTH_VIEWS):  # log out, password, e-mail addresses, second factors
        return True
    return not getattr(view, "login_required", True) and not _is_api(view)


def _is_api(view: View) -> bool:
    # REST framework marks each of its views `login_required = False` because it authenticates by itself; the dialects
    # that programs speak over HTTP do so too.
    return hasattr(view, "cls") or getattr(view, "is_for_programs", False)
