"""What runs: engines, and the voices of those that speak."""

from typing import Any, get_args

from asgiref.sync import async_to_sync
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api.conventions.base import ApiView
from api.serializers import EngineSerializer, VoiceSerializer
from inference.messages import Kind, Status
from speech.gateway.link import Link


class Engines(ApiView, APIView):
    """The engines that run now, and how many streams they still take."""

    pagination_class = None

    @extend_schema(responses=EngineSerializer(many=True))
    def get(self, request: Request) -> Response:
        running = async_to_sync(_running)()
        told: list[dict[str, Any]] = [
            {
                "name": status.engine,
                **{name: getattr(status, name) for name in EngineSerializer().fields if name != "name"},
            }
            for status in running
        ]
        return Response(told)


class Voices(ApiView, APIView):
    """The voices of the engines that speak."""

    pagination_class = None

    @extend_schema(responses=VoiceSerializer(many=True))
    def get(self, request: Request) -> Response:
        speakers = async_to_sync(_speakers)()
        told = [
            {"engine": engine, **{name: getattr(voice, name) for name in VoiceSerializer().fields if name != "engine"}}
            for engine, status in sorted(speakers.items())
            for voice in status.voices or []
        ]
        return Response(told)


async def _running() -> list[Status]:
    link = Link.current()
    return [status for kind in get_args(Kind) for _, status in sorted((await link.engines(kind)).items())]


async def _speakers() -> dict[str, Status]:
    return await Link.current().tts_engines()
