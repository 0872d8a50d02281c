"""Tokens that are kept: API tokens, which live long and are shown once, and refresh tokens, which are used once.

A token's text is a prefix, its id and a secret; only a digest of the secret is stored. The secret has 256 random bits,
so a plain hash of it can neither be guessed nor turned round.
"""

import hmac
import secrets
import uuid
from datetime import timedelta
from hashlib import sha256
from typing import Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models.signals import token_revoked
from accounts.models.user import User
from accounts.scopes import scopes_of, text_of

ID_LENGTH = 32
SECRET_LENGTH = 43
NAME_LENGTH = 100
TOKENS_PER_USER = 100
PRUNED_AFTER = timedelta(days=30)
"""How long what expired or was revoked is remembered, to say so to whoever still comes with it."""
USE_RECORDED_EVERY = timedelta(minutes=1)


class TooManyTokens(Exception):
    pass


class TokenQuerySet(models.QuerySet["Token"]):
    def of(self, user: User) -> Self:
        return self.filter(user=user)

    def with_user(self) -> Self:
        """Without the password's hash: what is found of a token is kept in the cache for a moment."""
        return self.select_related("user").defer("user__password")

    def active(self) -> Self:
        """Those that still hold."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()), revoked_at=None)

    def prunable(self) -> Self:
        long_ago = timezone.now() - PRUNED_AFTER
        return self.filter(Q(expires_at__lt=long_ago) | Q(revoked_at__lt=long_ago))


class Token(models.Model):
    class Kind(models.TextChoices):
        API = "api", "API token"
        REFRESH = "refresh", "Program that logged in"

    PREFIXES = {Kind.API: "dsm_", Kind.REFRESH: "dsr_"}

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tokens")
    kind = models.CharField(max_length=10, choices=Kind)
    name = models.CharField(max_length=NAME_LENGTH)
    digest = models.CharField(max_length=64)
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
        """A new token and its text, which nobody can learn again. Raises `TooManyTokens`."""
        with transaction.atomic():
            User.objects.select_for_update().get(pk=user.pk)  # so that two at once are counted one after the other
            cls.objects.of(user).prunable().delete()
            if cls.objects.of(user).active().count() >= TOKENS_PER_USER:
                raise TooManyTokens(f"An account has {TOKENS_PER_USER} tokens at most. Revoke some that are not used.")
            token = cls(user=user, kind=kind, name=name, scopes=text_of(scopes))
            token.expires_at = timezone.now() + lifetime if lifetime else None
            text = token._new_secret()
            token.save()
        return token, text

    @classmethod
    def find(cls, text: str, kind: Kind) -> tuple["Token | None", bool]:
        """The token whose id the text has, with its user, and whether the secret is the token's."""
        body = text.removeprefix(cls.PREFIXES[kind])
        if len(body) != ID_LENGTH + SECRET_LENGTH or body == text:
            return None, False
        try:
            token_id = uuid.UUID(hex=body[:ID_LENGTH])
        except ValueError:
            return None, False
        token = cls.objects.with_user().filter(pk=token_id, kind=kind).first()
        return token, token is not None and hmac.compare_digest(token.digest, _digest(body[ID_LENGTH:]))

    @property
    def scope_set(self) -> frozenset[str]:
        return scopes_of(self.scopes)

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def is_active(self) -> bool:
        return self.revoked_at is None and not self.is_expired

    # --- Verbs ------------------------------------------------------------------------------------------------------

    def renew(self, lifetime: timedelta) -> str | None:
        """A new text, with which the one before holds no more. None if somebody else was first."""
        before = self.digest
        text = self._new_secret()
        self.expires_at = timezone.now() + lifetime
        mine = Token.objects.filter(pk=self.pk, digest=before, revoked_at=None)
        changed = mine.update(digest=self.digest, expires_at=self.expires_at, last_used_at=timezone.now())
        return text if changed else None

    def revoke(self) -> None:
        """From now on it is refused, and what lives of it ends."""
        if Token.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=timezone.now()):
            transaction.on_commit(lambda: token_revoked.send_robust(Token, token=self))

    def record_use(self) -> None:
        now = timezone.now()
        if self.last_used_at is None or now - self.last_used_at > USE_RECORDED_EVERY:
            Token.objects.filter(pk=self.pk).update(last_used_at=now)

    def _new_secret(self) -> str:
        secret = secrets.token_urlsafe(32)
        self.digest = _digest(secret)
        return f"{self.PREFIXES[Token.Kind(self.kind)]}{self.id.hex}{secret}"


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
