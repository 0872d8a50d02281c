"""Running engines, and the voices of TTS engines."""

from typing import Any

from asgiref.sync import async_to_sync
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.scopes import ANY_SCOPE
from api.conventions.base import ApiView
from api.serializers import EngineSerializer, VoiceSerializer
from inference.messages import Status
from speech.gateway.link import Link


class Engines(ApiView, APIView):
    """Running engines and their free slots."""

    scope = ANY_SCOPE
    pagination_class = None

    @extend_schema(responses=EngineSerializer(many=True))
    def get(self, request: Request) -> Response:
        engines: list[dict[str, Any]] = [
            {
                "name": status.engine,
                **{name: getattr(status, name) for name in EngineSerializer().fields if name != "name"},
            }
            for status in async_to_sync(_running_engines)()
        ]
        return Response(engines)


class Voices(ApiView, APIView):
    """Available voices."""

    scope = ANY_SCOPE
    pagination_class = None

    @extend_schema(responses=VoiceSerializer(many=True))
    def get(self, request: Request) -> Response:
        voices = [
            {"engine": engine, **{name: getattr(voice, name) for name in VoiceSerializer().fields if name != "engine"}}
            for engine, status in sorted(async_to_sync(_tts_engines)().items())
            for voice in status.voices or []
        ]
        return Response(voices)


async def _running_engines() -> list[Status]:
    return await Link.current().workers.all_engines()


async def _tts_engines() -> dict[str, Status]:
    return await Link.current().workers.tts_engines()
