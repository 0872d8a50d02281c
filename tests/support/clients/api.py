"""API access to a site under test: an account's token, and WAV files to send."""

import io
import wave
from dataclasses import dataclass

from inference.messages import SAMPLE_RATE
from tests.support.servers.site import Site


@dataclass(frozen=True)
class Access:
    """Access to a running site with an account's token."""

    site: Site
    token: str

    @property
    def url(self) -> str:
        return self.site.url

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


def access_to(site: Site, email: str = "program@example.org", *arguments: str) -> Access:
    """Access of an approved account, created if needed. `arguments` are those of `manage.py issue_token`."""
    token = site.shell(
        "from django.core.management import call_command\n"
        "from accounts.models import User\n"
        f"User.objects.filter(email={email!r}).exists() or User.objects.create_user({email!r}, status='approved')\n"
        f"call_command('issue_token', {email!r}, *{arguments!r})"
    )
    return Access(site, token)


def wav_of(pcm: bytes, rate: int = SAMPLE_RATE, channels: int = 1) -> bytes:
    """WAV file of s16le samples, channels interleaved."""
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setnchannels(channels)
        wav.setsampwidth(2)
        wav.setframerate(rate)
        wav.writeframes(pcm)
    return file.getvalue()
