"""Signal receivers that delete a session's recording, whether a user, a retention rule or an account deletion causes
it."""

from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver

from speech.library.recording import Recording
from speech.models import Session
from speech.models.session import audio_deleted


@receiver(post_delete, sender=Session)
def remove_recording(sender: type[Session], instance: Session, **kwargs: Any) -> None:
    transaction.on_commit(Recording(instance.pk).remove)


@receiver(audio_deleted, sender=Session)
def remove_audio(sender: type[Session], session: Session, **kwargs: Any) -> None:
    transaction.on_commit(Recording(session.pk).remove)
