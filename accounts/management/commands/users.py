"""List accounts: email, status, role, sign-up date, who decided and why."""

from typing import Any

from django.core.management import BaseCommand

from accounts.models import User


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--status", choices=User.Status.values, help="only accounts with this status")

    def handle(self, status: str | None, **options: Any) -> None:
        users = User.objects.pending_first().select_related("decided_by")
        for user in users.filter(status=status) if status else users:
            self.stdout.write("\t".join(_fields(user)))


def _fields(user: User) -> list[str]:
    role = "administrator" if user.is_staff else "user"
    decided = f"{user.decided_at:%Y-%m-%d} by {user.decided_by or 'command line'}" if user.decided_at else "-"
    status = user.status if user.is_active else f"{user.status}, deactivated"
    return [user.email, status, role, f"{user.date_joined:%Y-%m-%d}", decided, user.decision_reason]
