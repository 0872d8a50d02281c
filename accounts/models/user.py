"""Users, and the decisions about one or many of them: approve, reject, restore."""

import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import tzinfo
from functools import partial
from typing import Any, Self

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models import Case, Q, Value, When
from django.db.models.functions import Lower
from django.utils import timezone

from accounts import authority, mail
from accounts.models.approval_state import ApprovalState, Decision
from accounts.models.decision import REASON_LENGTH, DecisionEntry, Status
from accounts.models.signals import credentials_ended, status_changed
from accounts.time_zone import NAME_LENGTH as TIME_ZONE_LENGTH
from accounts.time_zone import zone_named

NAME_LENGTH = 100
DELETED = "It was deleted."
"""Reason of an account that is being deleted."""
EPOCH_FIELDS = ("credentials_epoch", "suspended_epoch")


class DecisionError(PermissionDenied):
    """The decision is not allowed. The message states why and what to do."""


class UserQuerySet(models.QuerySet["User"]):
    def pending(self) -> Self:
        return self.filter(status=User.Status.PENDING, is_active=True)

    def admins(self) -> Self:
        return self.filter(status=User.Status.APPROVED, is_active=True, is_staff=True)

    def pending_first(self) -> Self:
        is_pending = When(status=User.Status.PENDING, is_active=True, then=Value(0))
        return self.order_by(Case(is_pending, default=Value(1)), "-date_joined")

    # `by` is None for management commands. Accounts that already have the status are left unchanged.

    def approve(self, by: "User | None", reason: str = "") -> Decision:
        return self._decide(User.Status.APPROVED, by, reason)

    def reject(self, by: "User | None", reason: str = "") -> Decision:
        return self._decide(User.Status.REJECTED, by, reason)

    def restore(self, before: Mapping[int, ApprovalState], by: "User | None") -> int:
        """Undo a decision: restore each account's previous state. Returns the number of accounts changed."""
        return len(self._set_approval(by, lambda user: before[user.pk], is_undo=True))

    def _decide(self, status: Status, by: "User | None", reason: str) -> Decision:
        now = timezone.now()
        state = ApprovalState(status, by.pk if by else None, now, reason.strip()[:REASON_LENGTH])
        return Decision(now, self._set_approval(by, lambda user: state))

    def _set_approval(
        self, by: "User | None", state_of: Callable[["User"], ApprovalState], is_undo: bool = False
    ) -> dict[int, ApprovalState]:
        before = {}
        changed = []
        with transaction.atomic(), _ensure_admin_remains():
            for user in self._locked(by):
                state = state_of(user)
                if state.status != user.status:
                    before[user.pk] = user.approval_state
                    user.set_approval(state, is_undo)
                    changed.append(user)
            DecisionEntry.objects.bulk_create(_entry(user, by, is_undo) for user in changed)
            transaction.on_commit(partial(_notify, changed))
        return before

    def _locked(self, by: "User | None") -> list["User"]:
        """These accounts, locked together with the deciding administrator's row. If two administrators reject each
        other concurrently, the second one is no longer an administrator, so one always remains."""
        selected = set(self.values_list("pk", flat=True))
        if by and by.pk in selected:
            raise DecisionError(
                "Nothing changed: you can't approve or reject your own account. Ask another administrator."
            )
        own_row = Q(pk=by.pk) if by else Q()
        rows = User.objects.select_for_update().filter(Q(pk__in=selected) | own_row).order_by("pk")
        users = {user.pk: user for user in rows}
        if by and not (by.pk in users and (by := users.pop(by.pk)).is_admin):
            raise DecisionError("Nothing changed: only approved administrators can do this.")
        for user in users.values():
            if not authority.can_decide(by, user):
                raise DecisionError(f"Nothing changed: {user} is a superuser and you aren't. Ask a superuser.")
        return list(users.values())


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=email.lower(), **fields)
        user.set_password(password)
        user.save()
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        admin = {"status": User.Status.APPROVED, "is_staff": True, "is_superuser": True}
        return self.create_user(email, password, **{**admin, **fields})

    def needs_first_admin(self) -> bool:
        """Whether the next account is the site's first, which becomes its administrator."""
        return settings.FIRST_USER_IS_ADMIN and not self.exists()

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    Status = Status

    email = models.EmailField("email", unique=True)
    name = models.CharField(max_length=NAME_LENGTH, blank=True)
    time_zone = models.CharField(max_length=TIME_ZONE_LENGTH, blank=True)
    """IANA name; empty until a browser sets it."""
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING, db_index=True)
    decided_by = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.CharField("reason", max_length=REASON_LENGTH, blank=True)

    credentials_epoch = models.PositiveBigIntegerField(default=0, editable=False)
    """Changing it ends all browser sessions, tokens and open connections of the user. Never takes a value twice."""
    suspended_epoch = models.PositiveBigIntegerField(null=True, editable=False)
    """The epoch before the last rejection, which undoing it restores. None if anything else has ended it since."""

    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField("administrator", default=False)
    is_first_user = models.BooleanField(null=True, unique=True, editable=False)
    """True only for the site's first account; the unique constraint decides when two users sign up at once."""
    date_joined = models.DateTimeField(default=timezone.now)

    objects = UserManager.from_queryset(UserQuerySet)()

    USERNAME_FIELD = EMAIL_FIELD = "email"

    class Meta:
        ordering = ("-date_joined", "-id")
        constraints = (models.UniqueConstraint(Lower("email"), name="one_account_per_email"),)

    def __str__(self) -> str:
        return self.email

    @property
    def zone(self) -> tzinfo:
        return zone_named(self.time_zone)

    @property
    def is_approved(self) -> bool:
        return self.is_active and self.status == self.Status.APPROVED

    @property
    def is_admin(self) -> bool:
        return self.is_approved and self.is_staff

    @property
    def approval_state(self) -> ApprovalState:
        return ApprovalState(self.status, self.decided_by_id, self.decided_at, self.decision_reason)

    @approval_state.setter
    def approval_state(self, state: ApprovalState) -> None:
        for field, value in asdict(state).items():
            setattr(self, field, value)

    def get_session_auth_hash(self) -> str:
        return self._with_epoch(super().get_session_auth_hash())

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        return map(self._with_epoch, super().get_session_auth_fallback_hash())

    def _with_epoch(self, session_hash: str) -> str:
        return f"{session_hash}.{self.credentials_epoch}"

    # --- Saving ---------------------------------------------------------------------------------------------------

    @classmethod
    def from_db(cls, db: str | None, field_names: Collection[str], values: Collection[Any], **kwargs: Any) -> Self:
        user = super().from_db(db, field_names, values, **kwargs)
        user._note_stored(field_names)
        return user

    def refresh_from_db(self, using: Any = None, fields: Any = None, from_queryset: Any = None) -> None:
        super().refresh_from_db(using, fields, from_queryset)
        self._note_stored(fields)

    def save(self, **kwargs: Any) -> None:
        """Save the fields that have changed since they were loaded, so that a request that began before a decision
        cannot reverse it. A new password or a deactivation ends all credentials."""
        if self._state.adding:
            super().save(**kwargs)
            self._note_stored(None)
            return
        fields = kwargs.pop("update_fields", None)
        fields = self._changed_fields() if fields is None else set(fields)
        if is_ending := self._ends_credentials(fields):
            self.credentials_epoch, self.suspended_epoch = _new_epoch(), None
            fields = fields | set(EPOCH_FIELDS)
        super().save(**kwargs, update_fields=fields)
        self._note_stored(fields)
        if is_ending:
            transaction.on_commit(lambda: credentials_ended.send_robust(User, user=self))

    def _note_stored(self, fields: Collection[str] | None) -> None:
        noted = [f for f in self._meta.concrete_fields if fields is None or f.name in fields or f.attname in fields]
        stored = {field.attname: self.__dict__[field.attname] for field in noted if field.attname in self.__dict__}
        self._stored: dict[str, Any] = {**getattr(self, "_stored", {}), **stored}

    def _changed_fields(self) -> set[str]:
        values = {field.attname for field in self._meta.concrete_fields if not field.primary_key} & self.__dict__.keys()
        return {name for name in values if name not in self._stored or self._stored[name] != self.__dict__[name]}

    def _ends_credentials(self, fields: Collection[str]) -> bool:
        is_deactivated = "is_active" in fields and not self.is_active and self._stored.get("is_active", True)
        # Not when a login stores the same password with a newer hash: Django clears `_password` before it saves.
        is_set = self._password is not None  # type: ignore[attr-defined]
        is_new_password = "password" in fields and (is_set or not self.has_usable_password())
        return bool(is_deactivated or is_new_password)

    # --- Decisions ------------------------------------------------------------------------------------------------

    def approve(self, by: "User | None", reason: str = "") -> None:
        self._as_queryset().approve(by, reason)
        self._reload_approval()

    def reject(self, by: "User | None", reason: str = "") -> None:
        self._as_queryset().reject(by, reason)
        self._reload_approval()

    def restore(self, before: ApprovalState, by: "User | None") -> None:
        self._as_queryset().restore({self.pk: before}, by)
        self._reload_approval()

    def close_account(self) -> None:
        """Delete the account and all its data, after closing its live connections. Raises `DecisionError` if other
        accounts would be left without an administrator."""
        with transaction.atomic():
            others = User.objects.select_for_update().exclude(pk=self.pk)
            if self.is_admin and others and not others.admins():
                raise DecisionError(
                    "Nothing deleted: you're the only administrator and other accounts exist. "
                    "Make another user an administrator first."
                )
            self.is_active, self.decision_reason = False, DELETED
            self.save(update_fields=["is_active", "decision_reason"])
        self.delete()

    def set_approval(self, state: ApprovalState, is_undo: bool = False) -> None:
        """Save the state, without notifications. Losing approval ends all credentials; only undoing the decision makes
        them valid again, not a later approval."""
        if self.status == Status.APPROVED:
            self.credentials_epoch, self.suspended_epoch = _new_epoch(), self.credentials_epoch
        elif state.status == Status.APPROVED:
            if is_undo and self.suspended_epoch is not None:
                self.credentials_epoch = self.suspended_epoch
            self.suspended_epoch = None
        self.approval_state = state
        self.save(update_fields=[*asdict(state), *EPOCH_FIELDS])

    def _as_queryset(self) -> UserQuerySet:
        return User.objects.filter(pk=self.pk)

    def _reload_approval(self) -> None:
        self.refresh_from_db(fields=[*asdict(self.approval_state), *EPOCH_FIELDS])


def _new_epoch() -> int:
    return secrets.randbits(62)


def _entry(user: User, by: User | None, is_undo: bool) -> DecisionEntry:
    return DecisionEntry(
        account=user,
        email=user.email,
        by=by,
        by_email=by.email if by else "",
        status=user.status,
        reason="" if is_undo else user.decision_reason,
        is_undo=is_undo,
    )


@contextmanager
def _ensure_admin_remains() -> Iterator[None]:
    """Raise `DecisionError` if the changes inside would remove the site's last administrator. Needs a transaction."""
    had_admin = User.objects.admins().exists()
    yield
    if had_admin and not User.objects.admins().exists():
        raise DecisionError(
            "Nothing changed: this is the last administrator. Make another user an administrator first."
        )


def _notify(users: list[User]) -> None:
    # Close all live connections before sending emails: the mail server may be slow.
    for user in users:
        status_changed.send_robust(User, user=user)
    mail.send_decision(users)
