"""The Talk page: a spoken conversation with a language model."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.credentials.user_request import UserRequest
from accounts.models import User
from speech.dialogue.conversation import MAX_TEXT
from speech.dialogue.personas import PERSONAS
from speech.gateway.link import Link
from speech.llm.catalog import available_models
from speech.llm.config import ModelInfo
from speech.models import Persona, Session
from speech.models.conversation import INSTRUCTIONS_LENGTH
from speech.models.persona import PERSONA_NAME_LENGTH
from speech.pages.streaming.choices import stt_engines, tts_engines
from speech.pages.streaming.session_parameter import session_named

SHOWN_TURNS = 50
"""Turns of an earlier conversation that the page shows before it is continued."""


@require_safe
async def talk(request: UserRequest) -> HttpResponse:
    """`?session=` continues a conversation of the user."""
    user = await request.auser()
    workers = Link.current().workers
    stt, tts, models = await asyncio.gather(workers.engines(), workers.tts_engines(), available_models())
    config: dict[str, Any] = {
        "tickets": reverse("tickets"),
        "socket": "/ws/talk/",
        "sessions": reverse("sessions"),
        "apiSessions": reverse("api_sessions"),
        "apiPersonas": reverse("api_personas"),
        "owner": user.pk,
        "approvalStatus": reverse("approval_status"),
        "captureWorklet": static("js/audio/capture-worklet.js"),
        "playbackWorklet": static("js/playback/playback-worklet.js"),
        "engines": stt_engines(stt),
        "voiceEngines": tts_engines(tts),
        "models": [_model(info) for info in models],
        "personas": await sync_to_async(_personas)(user),
        "session": await sync_to_async(_earlier_conversation)(user, request.GET.get("session")),
    }
    context = {
        "config": config,
        "saves_audio": settings.RECORD_AUDIO,
        "usage": await sync_to_async(Session.objects.of(user).usage)(),
        "max_turn": MAX_TEXT,
        "max_instructions": INSTRUCTIONS_LENGTH,
        "max_name": PERSONA_NAME_LENGTH,
    }
    return await sync_to_async(render)(request, "speech/talk.html", context)


def _model(info: ModelInfo) -> dict[str, Any]:
    host = "" if info.is_local else urlsplit(info.url).hostname
    return {"name": info.name, "label": info.label, "isDemo": info.is_demo, "host": host}


def _personas(user: User) -> list[dict[str, Any]]:
    """The built-in ones, without an ID, and the user's own."""
    built_in = [{"id": None, "name": each.name, "instructions": each.instructions} for each in PERSONAS]
    own = Persona.objects.filter(owner=user)
    return built_in + [{"id": each.pk, "name": each.name, "instructions": each.instructions} for each in own]


def _earlier_conversation(user: User, pk: str | None) -> dict[str, Any] | None:
    if not pk:
        return None
    conversations = Session.objects.of(user).started().filter(conversation__isnull=False).select_related("conversation")
    session = session_named(pk, conversations)
    conversation = session.conversation
    return {
        "id": str(session.pk),
        "name": session.display_title,
        "url": session.get_absolute_url(),
        "language": session.language,
        "instructions": conversation.instructions,
        "model": conversation.model,
        "voice": f"{conversation.voice_engine}/{conversation.voice}",
        "turns": [turn._asdict() for turn in conversation.turns_so_far(SHOWN_TURNS)],
    }
