"""Revocation: what a credential opened ends with it, in every process.

A guard is around everything that stays open for a caller. Two mechanisms end it. A notice is sent by the process that
revokes something, and arrives at once; but not without Redis from another process, and not after a change that bypasses
the models, such as `update()`. Hence the sweep: while anything is open, each process asks the database about all of it
every two seconds. A notice only makes the next sweep immediate, so that the database alone decides.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, suppress
from contextvars import Context
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.contrib.sessions.models import Session
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils import timezone

from accounts.credentials.principal import AccessDenied, Caller, session_hash
from accounts.credentials.validity import AccountEnded, check_all
from accounts.models import Token, User
from accounts.models.signals import access_token_denied, credentials_ended, status_changed, token_revoked
from inference.observability.recent_errors import Outage
from speech.errors import NotApproved, NotAuthenticated, StreamError
from speech.gateway.broadcast import broadcast, login_topic, token_topic, user_topic
from speech.gateway.database import in_database
from speech.gateway.link import Link
from speech.gateway.transient_errors import TRANSIENT_ERRORS

logger = logging.getLogger(__name__)

SWEEP_INTERVAL = 2.0
"""Seconds. README.md and docs/security.md promise it."""


@receiver([status_changed, credentials_ended])
def notify_of_user(sender: type[User], user: User, **kwargs: Any) -> None:
    broadcast(user_topic(user.pk))


@receiver(token_revoked)
def notify_of_token(sender: type[Token], token: Token, **kwargs: Any) -> None:
    broadcast(token_topic(token.pk))


@receiver(access_token_denied)
def notify_of_access_token(sender: type[Caller], jwt_id: str, **kwargs: Any) -> None:
    broadcast(token_topic(jwt_id))


@receiver(post_delete, sender=Session)
def notify_of_logout(sender: type[Session], instance: Session, **kwargs: Any) -> None:
    if instance.expire_date > timezone.now():  # not when `clearsessions` removes thousands of old ones
        broadcast(login_topic(session_hash(instance.session_key)))


@dataclass(eq=False)
class Guard:
    caller: Caller
    fail: Callable[[StreamError], None]


@asynccontextmanager
async def revocation_guard(caller: Caller, fail: Callable[[StreamError], None]) -> AsyncIterator[None]:
    """Call `fail` as soon as what the caller was authenticated with has ended. If it has already, raises the error.

    It subscribes first and checks then, so nothing that ends in between is missed.
    """
    sweep = Sweep.current()
    guard = Guard(caller, fail)
    with ExitStack() as stack:
        for topic in _topics(caller):
            stack.enter_context(Link.current().subscribed(topic, lambda notice: sweep.hurry()))
        sweep.add(guard)
        stack.callback(sweep.remove, guard)
        if error := (await sweep.check([guard])).get(guard):
            raise error
        yield


def _topics(caller: Caller) -> list[str]:
    topics = [user_topic(caller.user.pk)]
    topics += [token_topic(name) for name in (caller.token, *caller.jwt_ids) if name]
    return topics + ([login_topic(session_hash(caller.session_key))] if caller.session_key else [])


class Sweep:
    """Checks everything that is open in this process, for as long as anything is."""

    _current: ClassVar["Sweep | None"] = None

    @classmethod
    def current(cls) -> "Sweep":
        """The sweep of this process, created on first use in the running event loop."""
        if cls._current is None or cls._current._loop is not asyncio.get_running_loop():
            cls._current = cls()
        return cls._current

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._guards: set[Guard] = set()
        self._is_due = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._outage = Outage(logger, "database")

    def add(self, guard: Guard) -> None:
        self._guards.add(guard)
        if self._task is None:
            # In an empty context: that of a request would use its thread, which ends with it.
            self._task = asyncio.create_task(self._run(), context=Context())

    def remove(self, guard: Guard) -> None:
        self._guards.discard(guard)
        if not self._guards and self._task:
            self._task.cancel()
            self._task = None

    def hurry(self) -> None:
        """Check now."""
        self._is_due.set()

    async def check(self, guards: list[Guard]) -> dict[Guard, StreamError]:
        """The errors of those that have ended. None while the database is unavailable: the next sweep asks again."""
        try:
            ended = await in_database(check_all, [guard.caller for guard in guards])
        except TRANSIENT_ERRORS as error:
            self._outage.record(error)
            return {}
        self._outage.recovered()
        return {guard: _stream_error(why) for guard, why in zip(guards, ended, strict=True) if why}

    async def _run(self) -> None:
        failed: set[Guard] = set()  # they are ending
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._time_until_next()):
                    await self._is_due.wait()
            self._is_due.clear()
            failed &= self._guards
            try:
                errors = await self.check([guard for guard in self._guards if guard not in failed])
            except Exception:
                logger.exception("unexpected error while looking for revocations")
                await asyncio.sleep(SWEEP_INTERVAL)
                continue
            for guard, error in errors.items():
                if guard in self._guards:
                    failed.add(guard)
                    guard.fail(error)

    def _time_until_next(self) -> float:
        """Seconds: a sweep is due when a token expires."""
        now = datetime.now(UTC)
        expiries = (guard.caller.ends_at for guard in self._guards if guard.caller.ends_at)
        left = min(((expiry - now).total_seconds() for expiry in expiries if expiry > now), default=SWEEP_INTERVAL)
        return min(left, SWEEP_INTERVAL)


def _stream_error(ended: AccessDenied) -> StreamError:
    error = NotApproved if isinstance(ended, AccountEnded) else NotAuthenticated
    return error(ended.what, ended.why, ended.action)
