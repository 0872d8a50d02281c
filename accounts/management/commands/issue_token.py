"""Make an API token for a program, in a user's name, and print it. It is shown this once."""

from datetime import timedelta
from typing import Any

from django.core.management import BaseCommand, CommandError

from accounts.models import Token, User
from accounts.models.token import NAME_LENGTH, TooManyTokens
from accounts.scopes import ALL, UnknownScope, scopes_of, text_of


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("email", help="whose name the program acts in: an approved account")
        parser.add_argument("--scopes", default=text_of(ALL), help="what it may do, of: %(default)s (all by default)")
        parser.add_argument("--days", type=int, help="how long it holds; without it, until it is revoked")
        parser.add_argument("--name", default="From the command line", help="by which its user knows it")

    def handle(self, email: str, scopes: str, days: int | None, name: str, **options: Any) -> None:
        try:
            user = User.objects.get(email__iexact=email)
            wanted = scopes_of(scopes)
        except User.DoesNotExist:
            raise CommandError(f"There is no account {email}. Sign it up first, or look for a typing error.") from None
        except UnknownScope as error:
            raise CommandError(str(error)) from None
        if not user.is_approved:
            raise CommandError(f"{user} is not approved, so a token would open nothing. Approve the account first.")
        if not wanted or (days is not None and days < 1):
            raise CommandError("A token with no scope, or of no day, would open nothing.")
        try:
            lifetime = timedelta(days=days) if days else None
            _, text = Token.create(user, Token.Kind.API, name[:NAME_LENGTH], wanted, lifetime)
        except TooManyTokens as error:
            raise CommandError(str(error)) from None
        self.stdout.write(text)
