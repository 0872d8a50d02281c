"""A user, and the verbs that decide over one or many: approve, reject, restore."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from typing import Any, Self

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models import Case, Q, Value, When
from django.db.models.functions import Lower
from django.utils import timezone

from accounts import mail
from accounts.models.approval_state import ApprovalState, Decision
from accounts.models.decision import REASON_LENGTH, DecisionEntry, Status
from accounts.models.signals import status_changed

NAME_LENGTH = 100


class DecisionError(PermissionDenied):
    """Says what did not happen, why, and what to do."""


class UserQuerySet(models.QuerySet["User"]):
    def pending(self) -> Self:
        return self.filter(status=User.Status.PENDING, is_active=True)

    def admins(self) -> Self:
        return self.filter(status=User.Status.APPROVED, is_active=True, is_staff=True)

    def pending_first(self) -> Self:
        return self.order_by(Case(When(status=User.Status.PENDING, then=Value(0)), default=Value(1)), "-date_joined")

    # --- Verbs. An account that has the status already is left alone; `by` is None at the command line ----------------

    def approve(self, by: "User | None", reason: str = "") -> Decision:
        return self._decide(User.Status.APPROVED, by, reason)

    def reject(self, by: "User | None", reason: str = "") -> Decision:
        return self._decide(User.Status.REJECTED, by, reason)

    def restore(self, before: Mapping[int, ApprovalState], by: "User | None") -> int:
        """Undo: each account goes back to where it stood before a decision. Returns how many did."""
        return len(self._set_approval(by, lambda user: before[user.pk], is_undo=True))

    def _decide(self, status: Status, by: "User | None", reason: str) -> Decision:
        now = timezone.now()
        standing = ApprovalState(status, by.pk if by else None, now, reason.strip()[:REASON_LENGTH])
        return Decision(now, self._set_approval(by, lambda user: standing))

    def _set_approval(
        self, by: "User | None", standing_of: Callable[["User"], ApprovalState], is_undo: bool = False
    ) -> dict[int, ApprovalState]:
        before = {}
        placed = []
        with transaction.atomic(), _ensure_admin_remains():
            for user in self._locked(by):
                standing = standing_of(user)
                if standing.status != user.status:
                    before[user.pk] = user.approval_state
                    user.set_approval(standing)
                    placed.append(user)
            DecisionEntry.objects.bulk_create(_entry(user, by, is_undo) for user in placed)
            transaction.on_commit(partial(_notify, placed))
        return before

    def _locked(self, by: "User | None") -> list["User"]:
        """These accounts, with the decider's row locked beside them: of two administrators who reject each other at
        the same moment the second finds that they are none any more, so one always remains."""
        chosen = set(self.values_list("pk", flat=True))
        if by and by.pk in chosen:
            raise DecisionError("Nothing was decided: nobody decides over their own account. Ask another admin.")
        mine = Q(pk=by.pk) if by else Q()
        rows = User.objects.select_for_update().filter(Q(pk__in=chosen) | mine).order_by("pk")
        users = {user.pk: user for user in rows}
        if by and not (by.pk in users and users.pop(by.pk).is_admin):
            raise DecisionError("Nothing was decided: only an approved administrator may. Ask one of them.")
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
        """The next account will be the first of the site, and become its administrator."""
        return settings.FIRST_USER_IS_ADMIN and not self.exists()

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    Status = Status

    email = models.EmailField("e-mail", unique=True)
    name = models.CharField(max_length=NAME_LENGTH, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING, db_index=True)
    decided_by = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.CharField("reason", max_length=REASON_LENGTH, blank=True)

    session_epoch = models.PositiveIntegerField(default=0, editable=False)
    """A web session begins in the user's epoch and does not outlive it."""

    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField("administrator", default=False)
    is_first_user = models.BooleanField(null=True, unique=True, editable=False)
    """True for the first account of the site alone; being unique, it settles who was first when two sign up at once."""
    date_joined = models.DateTimeField(default=timezone.now)

    objects = UserManager.from_queryset(UserQuerySet)()

    USERNAME_FIELD = EMAIL_FIELD = "email"

    class Meta:
        ordering = ("-date_joined", "-id")
        constraints = (models.UniqueConstraint(Lower("email"), name="one_account_per_email"),)

    def __str__(self) -> str:
        return self.email

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
    def approval_state(self, standing: ApprovalState) -> None:
        for field, value in asdict(standing).items():
            setattr(self, field, value)

    def get_session_auth_hash(self) -> str:
        return self._of_this_epoch(super().get_session_auth_hash())

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        return map(self._of_this_epoch, super().get_session_auth_fallback_hash())

    def _of_this_epoch(self, session_hash: str) -> str:
        return f"{session_hash}.{self.session_epoch}"

    # --- Verbs ------------------------------------------------------------------------------------------------------

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
        """Delete the account and everything in it; its live sockets close first. Raises `DecisionRefused` if others
        would be left without an administrator."""
        with transaction.atomic():
            others = User.objects.select_for_update().exclude(pk=self.pk)
            if self.is_admin and others and not others.admins():
                raise DecisionError(
                    "Nothing was deleted: you are the only administrator, and others have accounts here. "
                    "Make one of them an administrator first."
                )
            self.is_active, self.decision_reason = False, "It was deleted."
            self.save(update_fields=["is_active", "decision_reason"])
        status_changed.send_robust(User, user=self)
        self.delete()

    def set_approval(self, standing: ApprovalState) -> None:
        """Who loses approval is logged out everywhere. Nobody hears of it."""
        if self.status == Status.APPROVED:
            self.session_epoch += 1
        self.approval_state = standing
        self.save(update_fields=[*asdict(standing), "session_epoch"])

    def _as_queryset(self) -> UserQuerySet:
        return User.objects.filter(pk=self.pk)

    def _reload_approval(self) -> None:
        kept = User.objects.get(pk=self.pk)
        self.approval_state, self.session_epoch = kept.approval_state, kept.session_epoch


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
    """Within a transaction: refuses what would leave a site without an administrator that has one."""
    had_one = User.objects.admins().exists()
    yield
    if had_one and not User.objects.admins().exists():
        raise DecisionError(
            "Nothing was decided: this would be the end of the last administrator. Make another one first."
        )


def _notify(users: list[User]) -> None:
    # Every live socket is closed before the first e-mail is on its way: a mail server may take its time.
    for user in users:
        status_changed.send_robust(User, user=user)
    mail.send_decision(users)
