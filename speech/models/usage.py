"""What users use: storage, for which the site has quotas, and language models."""

from dataclasses import dataclass
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F

from accounts.models import User
from inference.messages import SAMPLE_RATE
from speech import disk_space

WARNING_SHARE = 0.8
"""Share of a quota from which the pages show a warning."""
MB = 1_000_000


@dataclass(frozen=True)
class Quota:
    name: str
    unit: str
    used: float
    limit: int
    """0: no limit."""
    consequence: str
    """Message once the limit is reached."""

    @property
    def is_nearly_reached(self) -> bool:
        return bool(self.limit) and self.used >= WARNING_SHARE * self.limit

    @property
    def is_reached(self) -> bool:
        return bool(self.limit) and self.used >= self.limit

    @property
    def percent(self) -> int:
        return min(100, round(100 * self.used / self.limit)) if self.limit else 0

    def __str__(self) -> str:
        limit = f" of {self.limit}" if self.limit else ""
        return f"{self.used:.1f}{limit} {self.unit} of {self.name}"


@dataclass(frozen=True)
class Usage:
    samples: int
    audio_bytes: int

    @property
    def sessions(self) -> Quota:
        hours = self.samples / SAMPLE_RATE / 3600
        return Quota("speech", "hours", hours, settings.QUOTA_HOURS, "You can't start new sessions.")

    @property
    def audio(self) -> Quota:
        return Quota("audio", "MB", self.audio_bytes / MB, settings.QUOTA_AUDIO_MB, "Audio is no longer saved.")

    @property
    def quotas(self) -> tuple[Quota, Quota]:
        return self.sessions, self.audio

    @property
    def is_disk_full(self) -> bool:
        """Whether users could save audio if the server had room for it."""
        return settings.RECORD_AUDIO and disk_space.available(settings.AUDIO_DIR) <= 0

    @property
    def audio_bytes_left(self) -> int | None:
        """Bytes of audio that can still be saved; None: no limit."""
        return max(0, settings.QUOTA_AUDIO_MB * MB - self.audio_bytes) if settings.QUOTA_AUDIO_MB else None


class ConversationUsage(models.Model):
    """Totals of all conversations of a user. They remain when sessions are deleted, because tokens cost money."""

    owner = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="conversation_usage")
    conversations = models.PositiveIntegerField(default=0)
    replies = models.PositiveIntegerField(default=0)
    played_samples = models.BigIntegerField(default=0)
    """Audio of replies that was played."""
    prompt_tokens = models.BigIntegerField(default=0)
    completion_tokens = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"Conversations of {self.owner}"

    @classmethod
    def of(cls, owner: User) -> Self:
        """Return the user's totals; zeros before the first conversation."""
        usage: Self | None = getattr(owner, "conversation_usage", None)
        return usage or cls()

    @classmethod
    def add(cls, owner_id: int, **counts: int) -> None:
        """Add to the totals. `counts`: by the names of the fields."""
        increased = {name: F(name) + count for name, count in counts.items()}
        cls.objects.update_or_create(owner_id=owner_id, defaults=increased, create_defaults=counts)

    @property
    def played_seconds(self) -> float:
        return self.played_samples / SAMPLE_RATE
