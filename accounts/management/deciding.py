"""What `approve` and `reject` have in common."""

from typing import Any, ClassVar

from django.core.management import BaseCommand, CommandError

from accounts.models import REASON_LENGTH, DecisionError, User


class DecisionCommand(BaseCommand):
    verb: ClassVar[str]
    done: ClassVar[str]

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("email", nargs="+")
        parser.add_argument("--reason", default="", help="which the user reads")

    def handle(self, email: list[str], reason: str, **options: Any) -> None:
        found = {address: User.objects.filter(email=address.lower()) for address in email}
        if missing := [address for address, users in found.items() if not users]:
            raise CommandError(f"Nothing was decided: there is no account {', '.join(missing)}.")
        if len(reason) > REASON_LENGTH:
            raise CommandError(f"Nothing was decided: a reason has {REASON_LENGTH} characters at most.")
        for address, users in found.items():
            try:
                decision = getattr(users, self.verb)(None, reason)
            except DecisionError as refused:
                raise CommandError(f"{address}: {refused}") from None
            self.stdout.write(f"{address} {'is' if decision.before else 'was already'} {self.done}.")
