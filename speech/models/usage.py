"""Storage that a user's sessions take, and the site's quotas for it."""

from dataclasses import dataclass

from django.conf import settings

from inference.messages import SAMPLE_RATE

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
    def audio_bytes_left(self) -> int | None:
        """Bytes of audio that can still be saved; None: no limit."""
        return max(0, settings.QUOTA_AUDIO_MB * MB - self.audio_bytes) if settings.QUOTA_AUDIO_MB else None
