"""Base class of the commands `approve` and `reject`. They act as the site's operator, who is above all users."""

from typing import Any, ClassVar

from django.core.management import BaseCommand, CommandError

from accounts.models import REASON_LENGTH, DecisionError, User


class DecisionCommand(BaseCommand):
    verb: ClassVar[str]
    done: ClassVar[str]

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("email", nargs="+")
        parser.add_argument("--reason", default="", help="shown to the user")

    def handle(self, email: list[str], reason: str, **options: Any) -> None:
        matches = {address: User.objects.filter(email=address.lower()) for address in email}
        if missing := [address for address, users in matches.items() if not users]:
            raise CommandError(f"Nothing changed: no account {', '.join(missing)}.")
        if len(reason) > REASON_LENGTH:
            raise CommandError(f"Nothing changed: the reason is limited to {REASON_LENGTH} characters.")
        for address, users in matches.items():
            try:
                decision = getattr(users, self.verb)(None, reason)
            except DecisionError as error:
                raise CommandError(f"{address}: {error}") from None
            self.stdout.write(f"{address} {'is' if decision.before else 'was already'} {self.done}.")
