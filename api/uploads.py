"""Files that are transcribed: announced, sent in pieces, and then a job to be looked after until it is a session."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import generics, serializers
from rest_framework.exceptions import APIException
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.scopes import SESSIONS
from api.conventions.base import ApiView
from api.conventions.idempotency import PARAMETER, idempotent
from api.conventions.problem_details import CONTENT_TYPE, ProblemSerializer
from speech.models import Upload
from speech.models.upload import NAME_LENGTH
from speech.uploads import service
from speech.uploads.errors import UploadError


class NewUploadSerializer(serializers.Serializer):
    name = serializers.CharField(max_length=NAME_LENGTH, help_text="The file's")
    size = serializers.IntegerField(min_value=0, max_value=2**62, help_text="Bytes")
    engine = serializers.CharField(required=False, allow_blank=True, default="", max_length=50)
    language = serializers.CharField(required=False, allow_blank=True, default="", max_length=20)
    audio = serializers.BooleanField(required=False, default=False, help_text="Keep the sound")
    sides = serializers.BooleanField(
        required=False, default=False, help_text="It is stereo, with another speaker on each side"
    )


class UploadSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes")
    received = serializers.IntegerField(help_text="Bytes; what follows them is to be sent")
    state = serializers.ChoiceField(
        ["sending", "waiting", "checking", "transcribing", "cut", "refused", "done"],
        help_text="`cut`: the file ends too soon; accept it as it is, or delete it",
    )
    length = serializers.FloatField(allow_null=True, help_text="Seconds, once it was checked")
    transcribed = serializers.FloatField(help_text="Seconds")
    session = serializers.UUIDField(allow_null=True, source="session_id")
    problem = serializers.DictField(
        child=serializers.CharField(), allow_null=True, help_text="Of one that was refused or is cut: what, why, action"
    )

    def to_representation(self, instance: Upload) -> dict[str, Any]:
        told = instance.to_dict()
        return {**told, "session": str(instance.session_id) if told["session"] else None}


class UploadRejected(APIException):
    status_code = 400

    def __init__(self, refusal: UploadError) -> None:
        self.detail = {"what": refusal.what, "why": refusal.why, "action": refusal.action, "code": "refused"}


class OffsetMismatch(APIException):
    status_code = 409
    default_code = "other_bytes_follow"
    default_detail = "These bytes do not follow those that are there. See “received”, and send from there."


class Bytes(BaseParser):
    """They are read where they are stored."""

    media_type = "application/octet-stream"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return stream


class OwnedViewMixin(ApiView):
    scope = SESSIONS
    serializer_class = UploadSerializer

    def get_queryset(self) -> QuerySet[Upload]:
        if getattr(self, "swagger_fake_view", False):
            return Upload.objects.none()
        return Upload.objects.of(self.request.user).select_related("session")  # type: ignore[attr-defined]


class Uploads(OwnedViewMixin, generics.ListAPIView):
    """The files of the account that are sent, worked on, or were lately."""

    @extend_schema(
        request=NewUploadSerializer,
        parameters=[PARAMETER],
        responses={
            201: UploadSerializer,
            (409, CONTENT_TYPE): OpenApiResponse(ProblemSerializer, "The first request with this key is at work"),
            (422, CONTENT_TYPE): OpenApiResponse(ProblemSerializer, "The key came before with another content"),
        },
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Announce a file. One of that name and size that was sent in part goes on; `received` says where."""
        announced = NewUploadSerializer(data=request.data)
        announced.is_valid(raise_exception=True)
        try:
            upload = service.create_upload(request.user, **announced.validated_data)
        except UploadError as refusal:
            raise UploadRejected(refusal) from None
        return Response(UploadSerializer(upload).data, status=201)


class UploadDetail(OwnedViewMixin, generics.RetrieveDestroyAPIView):
    """How far it is. Deleting it cancels what is not done, and leaves no part of it."""

    def perform_destroy(self, instance: Upload) -> None:
        service.cancel(instance)


class Content(OwnedViewMixin, APIView):
    """The bytes of the file."""

    parser_classes = (Bytes,)

    @extend_schema(
        request={"application/octet-stream": OpenApiTypes.BINARY},
        parameters=[OpenApiParameter("offset", int, required=True, description="How many bytes come before these")],
        responses=UploadSerializer,
    )
    def put(self, request: Request, pk: UUID) -> Response:
        """The next piece, of 8 MiB at most."""
        upload = generics.get_object_or_404(self.get_queryset(), pk=pk)
        size = int(request.META.get("CONTENT_LENGTH") or 0)
        try:
            taken = service.add_part(upload, request.query_params.get("offset", ""), size, request._request)
        except UploadError as refusal:
            raise UploadRejected(refusal) from None
        except Upload.DoesNotExist:
            raise Http404 from None
        if not taken:
            raise OffsetMismatch
        return Response(UploadSerializer(upload).data)


class Accept(OwnedViewMixin, APIView):
    """Of a file that is cut off, transcribe what is there."""

    @extend_schema(request=None, responses=UploadSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        upload = generics.get_object_or_404(self.get_queryset(), pk=pk)
        service.accept_truncated(upload)
        return Response(UploadSerializer(upload).data)
