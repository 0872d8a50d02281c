"""Uploads under `/api/v1/`: create one, send it in parts, follow it until it becomes a session."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.exceptions import APIException
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.scopes import SESSIONS
from api.conventions.base import ApiView
from api.conventions.idempotency import PARAMETER, idempotent, responses_of
from speech.models import Upload
from speech.models.upload import ID_LENGTH, NAME_LENGTH
from speech.uploads import service
from speech.uploads.errors import UploadError


class NewUploadSerializer(serializers.Serializer):
    name = serializers.CharField(max_length=NAME_LENGTH, help_text="File name")
    size = serializers.IntegerField(min_value=0, max_value=2**62, help_text="Bytes")
    engine = serializers.CharField(required=False, allow_blank=True, default="", max_length=50)
    language = serializers.CharField(required=False, allow_blank=True, default="", max_length=20)
    audio = serializers.BooleanField(required=False, default=False, help_text="Save the audio")
    multichannel = serializers.BooleanField(required=False, default=False, help_text="One speaker per stereo channel")
    fingerprint = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=ID_LENGTH, help_text="Identifies the content"
    )
    client = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=ID_LENGTH, help_text="Identifies the sender"
    )


class UploadSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes")
    received = serializers.IntegerField(help_text="Bytes received; continue from here")
    client = serializers.CharField(help_text="The sender, as it called itself")
    is_sending = serializers.BooleanField(help_text="Whether a part arrived within the last minute")
    state = serializers.ChoiceField(
        ["uploading", "waiting", "checking", "transcribing", "truncated", "failed", "done"],
        help_text="`truncated`: the file is truncated; accept or delete it",
    )
    duration = serializers.FloatField(allow_null=True, help_text="Duration in seconds, after the check")
    transcribed = serializers.FloatField(help_text="Seconds")
    session = serializers.UUIDField(allow_null=True, help_text="Its id, once there is a transcript")
    note = serializers.CharField(help_text="What is unusual about it: joined recordings, several tracks; or empty")
    problem = serializers.DictField(
        child=serializers.CharField(), allow_null=True, help_text="If failed or truncated: what, why, action"
    )

    def to_representation(self, instance: Upload) -> dict[str, Any]:
        return instance.to_dict()


class UploadRejected(APIException):
    status_code = 400

    def __init__(self, error: UploadError) -> None:
        self.detail = {"what": error.what, "why": error.why, "action": error.action, "code": "refused"}


class OffsetMismatch(APIException):
    status_code = 409
    default_code = "other_bytes_follow"
    default_detail = "Wrong offset. Continue from “received”."


class StreamParser(BaseParser):
    """Passes the request body through unread; the upload service reads it as it stores it."""

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
    """The account's current and recent uploads."""

    @extend_schema(
        request=NewUploadSerializer,
        parameters=[PARAMETER],
        responses=responses_of(UploadSerializer),
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Create an upload. An incomplete one with the same `fingerprint` and size resumes at `received`, with the
        options of this request, unless another `client` is sending it."""
        serializer = NewUploadSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        try:
            upload = service.create_upload(request.user, **serializer.validated_data)
        except UploadError as error:
            raise UploadRejected(error) from None
        return Response(UploadSerializer(upload).data, status=201)


class UploadDetail(OwnedViewMixin, generics.RetrieveDestroyAPIView):
    """Upload status. DELETE cancels it and removes its data."""

    def perform_destroy(self, instance: Upload) -> None:
        service.cancel(instance)


class Content(OwnedViewMixin, APIView):
    """Content of an upload."""

    max_body = service.MAX_PART
    parser_classes = (StreamParser,)

    @extend_schema(
        request={"application/octet-stream": OpenApiTypes.BINARY},
        parameters=[
            OpenApiParameter("offset", int, required=True, description="Byte offset of this part"),
            OpenApiParameter(
                "sha256", str, description="Of the whole file; with the last part, if it has a fingerprint"
            ),
        ],
        responses=UploadSerializer,
    )
    def put(self, request: Request, pk: UUID) -> Response:
        """Send the next part, at most 8 MiB."""
        upload = generics.get_object_or_404(self.get_queryset(), pk=pk)
        size = int(request.META.get("CONTENT_LENGTH") or 0)
        offset, sha256 = (request.query_params.get(name, "") for name in ("offset", "sha256"))
        try:
            accepted = service.add_part(upload, offset, size, request._request, sha256)
        except UploadError as error:
            raise UploadRejected(error) from None
        except Upload.DoesNotExist:
            raise Http404 from None
        if not accepted:
            raise OffsetMismatch
        return Response(UploadSerializer(upload).data)


class Accept(OwnedViewMixin, APIView):
    """Transcribe a truncated file as it is."""

    @extend_schema(request=None, responses=UploadSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        upload = generics.get_object_or_404(self.get_queryset(), pk=pk)
        service.accept_truncated(upload)
        return Response(UploadSerializer(upload).data)
