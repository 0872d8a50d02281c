from typing import Any

from django.conf import settings
from django.http import HttpRequest

from accounts.models import User
from accounts.signup import invitations


def accounts(request: HttpRequest) -> dict[str, Any]:
    user = getattr(request, "user", None)
    is_admin = bool(user and user.is_authenticated and user.is_admin)
    return {
        "pending_count": User.objects.pending().count() if is_admin else 0,
        "sends_email": settings.SENDS_EMAIL and settings.NOTIFY_USERS_OF_DECISIONS,
        "admin_contact": settings.ADMIN_CONTACT,
        "by_invitation": settings.SIGNUP == "invitation",
        # Both query the database only in templates that use them.
        "invitation": lambda: invitations.pending_invitation(request),
        "needs_first_admin": User.objects.needs_first_admin,
    }
