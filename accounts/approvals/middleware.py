"""Users who are not approved can open only their status page and their account pages: every view requires approval
unless it is marked otherwise."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.deprecation import MiddlewareMixin

from accounts.credentials.principal import approval_problem

View = Callable[..., Any]
# Views for logging out, and for the password, email addresses and two-factor authentication of the user's own account.
ALLAUTH_VIEWS = ("allauth.account.", "allauth.mfa.", "allauth.usersessions.")


def approval_not_required(view: View) -> View:
    view.approval_required = False  # type: ignore[attr-defined]
    return view


class ApprovalRequiredMiddleware(MiddlewareMixin):
    """Must follow Django's LoginRequiredMiddleware, which redirects anonymous users to the login page."""

    def process_view(self, request: HttpRequest, view: View, args: Any, kwargs: Any) -> HttpResponse | None:
        user = request.user
        if not user.is_authenticated or user.is_approved or _is_open(view):
            return None
        if _is_api(view) or "text/html" not in request.headers.get("Accept", "text/html"):
            return JsonResponse(approval_problem(user), status=403)
        return redirect("approval_status")


def _is_open(view: View) -> bool:
    if not getattr(view, "approval_required", True):
        return True
    if getattr(view, "__module__", "").startswith(ALLAUTH_VIEWS):
        return True
    return not getattr(view, "login_required", True) and not _is_api(view)


def _is_api(view: View) -> bool:
    # REST framework and the HTTP dialects authenticate requests themselves, so their views have
    # `login_required = False` but still require approval.
    return hasattr(view, "cls") or getattr(view, "is_api_view", False)
