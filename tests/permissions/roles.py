"""The roles: browsers logged in to an account, or not, and programs that send a token."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import jwt
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.credentials import access_tokens
from accounts.models import Token, User
from accounts.scopes import ADMIN, ALL_SCOPES, DEFAULT_SCOPES, LABELS, SESSIONS, STT, TTS, text_of
from tests.accounts.site_urls import SAMPLES
from tests.permissions.objects import SHARE_TOKEN

ORIGIN = "http://testserver"

ANONYMOUS = "anonymous"
UNAPPROVED = ("pending", "rejected")
ADMINS = ("staff", "founder")
ACCOUNTS = (*UNAPPROVED, "owner", "other", *ADMINS, "public")
"""Each is the local part of its email address. “public” is the account of the public token."""
SETTINGS = {"PUBLIC_TOKEN_EMAIL": "public@example.org", "BETTER_AUTH_SECRET": "a secret of an external issuer" * 2}


@dataclass(frozen=True)
class Role:
    name: str
    account: str = ANONYMOUS
    scopes: frozenset[str] | None = None
    """Scopes of its token; None for a browser."""
    token: str = ""

    @property
    def is_program(self) -> bool:
        return self.scopes is not None

    @property
    def is_narrow(self) -> bool:
        """A program that differs from others only in its one scope, which is nothing to a URL that ignores tokens."""
        return self.scopes is not None and len(self.scopes) == 1 and self.account in ("owner", "other")

    def client(self) -> Client:
        """A client that raises no errors of views. A browser sends `Origin`, as it does from the site's own pages."""
        client = Client(raise_request_exception=False, headers={"Host": "testserver", "Origin": ORIGIN})
        if self.is_program:
            client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {self.token}"
        elif self.account != ANONYMOUS:
            client.force_login(User.objects.get(email=email_of(self.account)))
        if self.name == VISITOR.name:
            assert client.get(f"/shared/{SHARE_TOKEN}/").status_code == 200
        return client


VISITOR = Role("visitor of a share link")
BROWSERS = (Role(ANONYMOUS), VISITOR, *(Role(f"browser of {name}", name) for name in ACCOUNTS if name != "public"))


def email_of(account: str) -> str:
    return f"{account}@example.org"


def create_accounts() -> None:
    create = partial(User.objects.create_user, password="a passphrase that is hard to guess", status="approved")
    create(email_of("pending"), pk=int(SAMPLES["int"]))  # the account in the example URLs
    for account in ("rejected", "owner", "other", "public"):
        create(email_of(account))
    create(email_of("staff"), is_staff=True)
    create(email_of("founder"), is_staff=True, is_superuser=True)


def programs() -> Iterator[Role]:
    """Roles with tokens: each scope alone in an API token and in an access token, of the owner of the objects, and for
    the scope `admin` of an administrator; and tokens that others issue, or that are not enough."""
    for scope in LABELS:
        account = "founder" if scope == ADMIN else "owner"
        token, text = _create_token(account, frozenset({scope}))
        yield Role(f"API token {scope}", account, frozenset({scope}), text)
        access_token = access_tokens.grant(token, frozenset({scope})).access_token
        yield Role(f"access token {scope}", account, frozenset({scope}), access_token)
    everything = DEFAULT_SCOPES
    yield Role("API token of the founder without admin", "founder", everything, _create_token("founder", everything)[1])
    yield Role("API token admin of no administrator", "owner", ALL_SCOPES, _create_token("owner", ALL_SCOPES)[1])
    yield Role("API token sessions of another account", "other", frozenset({SESSIONS}), _create_token("other")[1])
    yield Role("external issuer's token", "owner", everything, _external_token())
    yield Role("public token", "public", frozenset({STT, TTS}), settings.PUBLIC_TOKEN)
    yield Role("unknown token", ANONYMOUS, frozenset(), "dsm_unknown")
    for account in UNAPPROVED:
        yield Role(f"API token of {account}", account, everything, _create_token(account)[1])


def disapprove() -> None:
    """Call it after `programs`: only approved accounts get tokens."""
    for status in UNAPPROVED:
        User.objects.filter(email=email_of(status)).update(status=status, decision_reason="spam")


def _create_token(account: str, scopes: frozenset[str] = frozenset({SESSIONS})) -> tuple[Token, str]:
    user = User.objects.get(email=email_of(account))
    return Token.create(user, Token.Kind.API, text_of(scopes), scopes, None)


def _external_token() -> str:
    claims = {"email": email_of("owner"), "exp": timezone.now() + timedelta(hours=1)}
    return jwt.encode(claims, settings.BETTER_AUTH_SECRET, "HS256")
