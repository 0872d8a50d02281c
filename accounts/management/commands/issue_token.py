"""Create an API token for a user and print it. It is shown only once."""

from datetime import timedelta
from typing import Any

from django.core.management import BaseCommand, CommandError

from accounts.models import Token, User
from accounts.models.token import NAME_LENGTH, TooManyTokens
from accounts.scopes import DEFAULT_SCOPES, LABELS, UnknownScope, scopes_of, text_of


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("email", help="email of the approved account to act as")
        parser.add_argument(
            "--scopes",
            default=text_of(DEFAULT_SCOPES),
            help=f"scopes, any of: {', '.join(LABELS)} (default: %(default)s)",
        )
        parser.add_argument("--days", type=int, help="days until it expires (default: never)")
        parser.add_argument("--name", default="From the command line", help="label shown in the user's token list")

    def handle(self, email: str, scopes: str, days: int | None, name: str, **options: Any) -> None:
        try:
            user = User.objects.get(email__iexact=email)
            requested = scopes_of(scopes)
        except User.DoesNotExist:
            raise CommandError(f"No account {email}. Sign up first, or check the spelling.") from None
        except UnknownScope as error:
            raise CommandError(str(error)) from None
        if not user.is_approved:
            raise CommandError(f"{user} isn't approved, so the token wouldn't work. Approve the account first.")
        if not requested or (days is not None and days < 1):
            raise CommandError("A token needs at least one scope and one day.")
        try:
            lifetime = timedelta(days=days) if days else None
            _, text = Token.create(user, Token.Kind.API, name[:NAME_LENGTH], requested, lifetime)
        except TooManyTokens as error:
            raise CommandError(str(error)) from None
        self.stdout.write(text)
