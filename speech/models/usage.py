"""What a user keeps, and how much of it this site allows."""

from dataclasses import dataclass

from django.conf import settings

from inference.messages import SAMPLE_RATE

WARNING_SHARE = 0.8
"""From this share of a quota on its user is told."""
MB = 1_000_000


@dataclass(frozen=True)
class Quota:
    name: str
    unit: str
    used: float
    allowed: int
    """0: as much as one likes."""
    consequence: str
    """Of having reached it."""

    @property
    def is_nearly_reached(self) -> bool:
        return bool(self.allowed) and self.used >= WARNING_SHARE * self.allowed

    @property
    def is_reached(self) -> bool:
        return bool(self.allowed) and self.used >= self.allowed

    @property
    def percent(self) -> int:
        return min(100, round(100 * self.used / self.allowed)) if self.allowed else 0

    def __str__(self) -> str:
        bound = f" of {self.allowed}" if self.allowed else ""
        return f"{self.used:.1f}{bound} {self.unit} of {self.name}"


@dataclass(frozen=True)
class Usage:
    samples: int
    audio_bytes: int

    @property
    def sessions(self) -> Quota:
        hours = self.samples / SAMPLE_RATE / 3600
        return Quota("speech", "hours", hours, settings.QUOTA_HOURS, "No new one can begin.")

    @property
    def audio(self) -> Quota:
        return Quota("sound", "MB", self.audio_bytes / MB, settings.QUOTA_AUDIO_MB, "Sound is not kept any more.")

    @property
    def quotas(self) -> tuple[Quota, Quota]:
        return self.sessions, self.audio

    @property
    def audio_room(self) -> int | None:
        """Bytes of sound that may still be kept; None: any number."""
        return max(0, settings.QUOTA_AUDIO_MB * MB - self.audio_bytes) if settings.QUOTA_AUDIO_MB else None
