"""What an account that is not approved is told, and the permission by which the API tells it."""

from typing import Any

from django.urls import reverse
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.caller import Caller, Refused
from accounts.models import User

WHY = {
    User.Status.PENDING: "An administrator has yet to decide about it.",
    User.Status.REJECTED: "An administrator rejected it.",
}


def refusal(user: User) -> dict[str, str]:
    return {
        "code": "not_approved",
        "what": "Your account is not approved.",
        "why": user.decision_reason or WHY.get(User.Status(user.status), "It is switched off."),
        "todo": f"See where your account stands at {reverse('standing')}.",
    }


class IsApproved(BasePermission):
    message: dict[str, str] | None = None

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user.is_authenticated:
            return False
        if not request.user.is_approved:
            self.message = refusal(request.user)
        return self.message is None


class HasScope(IsApproved):
    """Also, where it is a token that calls, that it has the view's `scope`. A browser's session may do everything."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not super().has_permission(request, view):
            return False
        if isinstance(request.auth, Caller):
            try:
                request.auth.demand(view.scope)
            except Refused as refused:
                self.message = refused.told
        return self.message is None
