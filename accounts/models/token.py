"""Stored tokens: API tokens, which are long-lived and shown once, and refresh tokens, which are used once.

A token's text is a prefix, its id and a secret; only a digest of the secret is stored. The secret has 256 random bits,
so a plain hash cannot be reversed by guessing. A refresh token's text ends with a code that shows that this site issued
it, also when its secret has been replaced since.
"""

import hmac
import secrets
import uuid
from datetime import timedelta
from hashlib import sha256
from typing import Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.models.signals import token_revoked
from accounts.models.user import User
from accounts.scopes import scopes_of, text_of

ID_LENGTH = 32
SECRET_LENGTH = 43
CODE_LENGTH = 32  # hexadecimal digits of the authentication code
NAME_LENGTH = 100
MAX_TOKENS_PER_USER = 100
PRUNED_AFTER = timedelta(days=30)
"""Time for which expired and revoked tokens are kept, so that clients learn why their token is rejected."""
USE_RECORD_INTERVAL = timedelta(minutes=1)


class TooManyTokens(Exception):
    pass


class TokenQuerySet(models.QuerySet["Token"]):
    def of(self, user: User) -> Self:
        return self.filter(user=user)

    def with_user(self) -> Self:
        """Load the user without the password hash, because callers are cached."""
        return self.select_related("user").defer("user__password")

    def active(self) -> Self:
        """Tokens that are neither expired nor ended."""
        return self.unended().filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()))

    def unended(self) -> Self:
        """Tokens that are neither revoked nor ended together with all credentials of their users."""
        return self.filter(revoked_at=None, epoch=F("user__credentials_epoch"))

    def prunable(self) -> Self:
        limit = timezone.now() - PRUNED_AFTER
        is_unused = Q(last_used_at__lt=limit) | Q(last_used_at=None, created_at__lt=limit)
        can_return = Q(epoch=F("user__credentials_epoch")) | Q(epoch=F("user__suspended_epoch"))
        return self.filter(Q(expires_at__lt=limit) | Q(revoked_at__lt=limit) | (is_unused & ~can_return))


class Token(models.Model):
    class Kind(models.TextChoices):
        API = "api", "API token"
        REFRESH = "refresh", "Logged-in app"

    PREFIXES = {Kind.API: "dsm_", Kind.REFRESH: "dsr_"}

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tokens")
    kind = models.CharField(max_length=10, choices=Kind)
    name = models.CharField(max_length=NAME_LENGTH)
    digest = models.CharField(max_length=64)
    epoch = models.PositiveBigIntegerField(editable=False)
    """The user's `credentials_epoch` when the token was created. The token ends when the user's changes."""
    scopes = models.CharField(max_length=100)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = TokenQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return self.name

    @classmethod
    def create(
        cls, user: User, kind: Kind, name: str, scopes: frozenset[str], lifetime: timedelta | None
    ) -> tuple["Token", str]:
        """Create a token. Returns it and its text, which cannot be recovered. Raises `TooManyTokens`."""
        with transaction.atomic():
            User.objects.select_for_update().get(pk=user.pk)  # serializes concurrent calls, so that the count is right
            cls.objects.of(user).prunable().delete()
            if cls.objects.of(user).active().count() >= MAX_TOKENS_PER_USER:
                raise TooManyTokens(f"The limit is {MAX_TOKENS_PER_USER} tokens per account. Revoke unused ones.")
            # The epoch of the request: a token that it creates while its login ends, ends with it.
            token = cls(user=user, kind=kind, name=name, scopes=text_of(scopes), epoch=user.credentials_epoch)
            token.expires_at = timezone.now() + lifetime if lifetime else None
            text = token._new_secret()
            token.save()
        return token, text

    @classmethod
    def find(cls, text: str, kind: Kind) -> tuple["Token | None", bool]:
        """The token with the id in `text`, with its user, and whether the secret in `text` is correct. No token if this
        site cannot have issued the text."""
        body = text.removeprefix(cls.PREFIXES[kind])
        token_id, secret, code = body[:ID_LENGTH], body[ID_LENGTH:][:SECRET_LENGTH], body[ID_LENGTH + SECRET_LENGTH :]
        code_length = CODE_LENGTH if kind == cls.Kind.REFRESH else 0
        if body == text or len(secret) != SECRET_LENGTH or len(code) != code_length:
            return None, False
        try:
            pk = uuid.UUID(hex=token_id)
        except ValueError:
            return None, False
        token = cls.objects.with_user().filter(pk=pk, kind=kind).first()
        if token is None:
            return None, False
        is_current = hmac.compare_digest(token.digest, _digest(secret))
        was_issued = is_current or kind == cls.Kind.API or _is_authentic(token_id + secret, code)
        return (token, is_current) if was_issued else (None, False)

    @property
    def scope_set(self) -> frozenset[str]:
        return scopes_of(self.scopes)

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def has_ended(self) -> bool:
        """Whether it was revoked, or ended together with all credentials of its user."""
        return self.revoked_at is not None or self.epoch != self.user.credentials_epoch

    @property
    def is_active(self) -> bool:
        return not self.has_ended and not self.is_expired

    def renew(self, lifetime: timedelta) -> str | None:
        """Replace the token's text and return the new one, or None if it was renewed or revoked meanwhile."""
        old_digest = self.digest
        text = self._new_secret()
        self.expires_at = timezone.now() + lifetime
        unchanged = Token.objects.filter(pk=self.pk, digest=old_digest, revoked_at=None)
        updated = unchanged.update(digest=self.digest, expires_at=self.expires_at, last_used_at=timezone.now())
        return text if updated else None

    def revoke(self) -> None:
        """Revoke it; everything derived from it ends too."""
        if Token.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=timezone.now()):
            transaction.on_commit(lambda: token_revoked.send_robust(Token, token=self))

    def record_use(self) -> None:
        now = timezone.now()
        if self.last_used_at is None or now - self.last_used_at > USE_RECORD_INTERVAL:
            Token.objects.filter(pk=self.pk).update(last_used_at=now)

    def _new_secret(self) -> str:
        secret = secrets.token_urlsafe(32)
        self.digest = _digest(secret)
        code = _code(self.id.hex + secret) if self.kind == Token.Kind.REFRESH else ""
        return f"{self.PREFIXES[Token.Kind(self.kind)]}{self.id.hex}{secret}{code}"


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def _code(text: str, key: str | None = None) -> str:
    return salted_hmac("accounts.models.token", text, key, algorithm="sha256").hexdigest()[:CODE_LENGTH]


def _is_authentic(text: str, code: str) -> bool:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return any(hmac.compare_digest(_code(text, key).encode(), code.encode()) for key in keys)
