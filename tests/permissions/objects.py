"""The objects in the example URLs. All belong to the owner."""

import uuid
from datetime import timedelta
from pathlib import Path

import numpy as np
import soundfile
from django.utils import timezone

from accounts.models import Invitation, Token, User
from accounts.scopes import STT
from inference.messages import SAMPLE_RATE
from speech.library.recording.chunks import Chunk
from speech.library.recording.recording import Recording
from speech.models import Correction, Persona, Segment, Session, Share, Upload
from tests.accounts.site_urls import SAMPLES
from webhooks.models import Webhook

SAMPLE, NUMBER, SHARE_TOKEN = uuid.UUID(SAMPLES["uuid"]), int(SAMPLES["int"]), SAMPLES["str"]
"""Ids of all objects, as `all_urls` fills them in."""
DELETED = uuid.UUID(int=SAMPLE.int + 1)
"""A session in the trash."""


def create_objects(owner: User, audio: Path) -> None:
    now = timezone.now()
    times = {"started_at": now - timedelta(hours=1), "ended_at": now, "samples": SAMPLE_RATE}
    session = Session.objects.create(pk=SAMPLE, owner=owner, saves_audio=True, **times)
    Session.objects.create(pk=DELETED, owner=owner, deleted_at=now, **times)
    Segment.objects.create(pk=NUMBER, session=session, index=0, start=0, end=1, text="hello")
    Correction.objects.create(pk=NUMBER, session=session, kind=Correction.Kind.TEXT, start=0)
    Share.objects.create(
        pk=NUMBER, session=session, token=SHARE_TOKEN, has_audio=True, expires_at=now + timedelta(days=1)
    )
    Upload.objects.create(pk=SAMPLE, owner=owner, name="talk.wav", size=10)
    Persona.objects.create(pk=NUMBER, owner=owner, name="Teacher", instructions="Explain.")
    Webhook.objects.create(pk=SAMPLE, owner=owner, url="https://example.org/")
    token, _ = Token.create(owner, Token.Kind.API, "x", frozenset({STT}), None)
    Token.objects.filter(pk=token.pk).update(id=SAMPLE)
    Invitation.objects.create(pk=NUMBER, digest="x", expires_at=now + timedelta(days=1))
    _record(audio)


def _record(audio: Path) -> None:
    folder = Recording(SAMPLE).folder
    assert folder.is_relative_to(audio), "AUDIO_DIR must be a folder of the test"
    folder.mkdir(parents=True)
    soundfile.write(Chunk.at(folder, 1, 0, "flac").path, np.zeros(SAMPLE_RATE, np.int16), SAMPLE_RATE)
