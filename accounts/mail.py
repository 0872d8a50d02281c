"""Emails about accounts. A failing mail server must not undo a decision, so errors are logged, not raised."""

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.metrics import EMAILS

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger(__name__)

SUBJECTS = {
    "approved": "Your account is approved",
    "rejected": "Your account was not approved",
    "pending": "Your account is pending approval again",
}


def send_decision(users: Iterable["User"]) -> None:
    if not settings.NOTIFY_USERS_OF_DECISIONS:
        return
    _send([_message(SUBJECTS[user.status], user.status, user, user.email, "live") for user in users])


def notify_admins(user: "User", admins: Iterable["User"]) -> None:
    subject = f"New account awaiting approval: {user.email}"
    _send([_message(subject, "signup", user, admin.email, "approvals") for admin in admins])


def send_address_change(user: "User", old: str) -> None:
    """Tell the old address, whose owner may not have wanted the change."""
    context = {"user": user, "old": old, "site": settings.SITE_URL, "contact": settings.ADMIN_CONTACT}
    text = render_to_string("accounts/email/address_change.txt", context)
    _send([EmailMessage("Your email address has changed", text, to=[old])])


def send_address_link(to: str, url: str) -> bool:
    """Send the link that proves a new address. Returns False if the mail server doesn't accept it."""
    text = render_to_string("accounts/email/address_link.txt", {"url": url, "site": settings.SITE_URL})
    return _send([EmailMessage("Confirm your new email address", text, to=[to])]) == 1


def _message(subject: str, template: str, user: "User", to: str, page: str) -> EmailMessage:
    context = {"user": user, "url": settings.SITE_URL + reverse(page), "site": settings.SITE_URL}
    return EmailMessage(subject, render_to_string(f"accounts/email/{template}.txt", context), to=[to])


def _send(messages: list[EmailMessage]) -> int:
    """Send the messages. Returns how many the mail server accepted."""
    if not messages:
        return 0
    try:
        with get_connection() as connection:
            return sum(_send_one(message, connection) for message in messages)
    except OSError:  # smtplib's errors are OSErrors
        EMAILS.labels("failed").inc(len(messages))
        logger.exception("mail server unavailable: %d emails not sent", len(messages), extra={"error_class": "network"})
        return 0


def _send_one(message: EmailMessage, connection: BaseEmailBackend) -> bool:
    try:
        connection.send_messages([message])
        EMAILS.labels("sent").inc()
        return True
    except OSError:
        EMAILS.labels("failed").inc()
        logger.exception("could not send email “%s” to %s", message.subject, message.to)
        return False
