"""Sessions under `/api/v1/`: list, detail, words, exports and audio."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import generics, serializers
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.models import User
from accounts.scopes import SESSIONS
from api.conventions.base import ApiView
from api.conventions.etags import ETagMixin
from api.conventions.pagination import WordPagination
from api.serializers import SessionSerializer, WordSerializer
from speech.library.exports import FORMATS, Options
from speech.library.exports.responses import download
from speech.library.recording.responses import flac_of, wav_of
from speech.library.search import MAX_LENGTH, Query, find, find_titles
from speech.models import Session, Tag, Word

MAX_RESULTS = 1_000
FILES = {
    (200, format.content_type.partition(";")[0]): OpenApiResponse(
        OpenApiTypes.OBJECT if format.extension == "json" else OpenApiTypes.BINARY, format.label
    )
    for format in FORMATS.values()
}
"""Responses of an export, by status and media type."""
ORDERS = ("-created_at", "created_at", "-samples", "samples")


class SessionInProgress(APIException):
    status_code = 409
    default_code = "still_live"
    default_detail = "This session is in progress. Stop it first."


class OwnedViewMixin(ApiView):
    scope = SESSIONS

    def get_queryset(self) -> QuerySet[Any]:
        sessions: QuerySet[Any] = Session.objects.of(self.request.user).started()  # type: ignore[attr-defined]
        return sessions.select_related("conversation").prefetch_related("tags")


@extend_schema(
    parameters=[
        OpenApiParameter("q", description="Search transcripts, titles and tags"),
        OpenApiParameter("tag", description="Only sessions with this tag"),
        OpenApiParameter("order", enum=ORDERS, description="`samples` sorts by duration"),
    ]
)
class Sessions(OwnedViewMixin, generics.ListAPIView):
    """The account's sessions, newest first."""

    serializer_class = SessionSerializer

    def get_queryset(self) -> QuerySet[Any]:
        params = self.request.query_params
        sessions = super().get_queryset()
        if tag := params.get("tag"):
            sessions = sessions.filter(tags__in=Tag.named(self.request.user, tag)).distinct()
        if q := params.get("q", "").replace("\0", "").strip():
            sessions = sessions.filter(pk__in=self._found(Query(q)))
        order = params.get("order", ORDERS[0])
        if order not in ORDERS:
            raise ValidationError({"order": [f"Must be one of: {', '.join(ORDERS)}."]})
        return sessions.order_by(order, "-id")

    def _found(self, query: Query) -> set[UUID]:
        if len(query.text) > MAX_LENGTH:
            raise ValidationError({"q": [query.problem]})
        owner: User = self.request.user
        hits = {hit.session_id for hit in find(query, owner, Session.objects.all(), MAX_RESULTS)}
        return hits | find_titles(query, owner)


class SessionDetail(ETagMixin, OwnedViewMixin, generics.RetrieveUpdateDestroyAPIView):
    """Read, rename, tag or delete a session. `If-Match` prevents overwriting others' changes."""

    serializer_class = SessionSerializer
    http_method_names = ["get", "head", "options", "patch", "delete"]

    def get_object(self) -> Session:
        session: Session = super().get_object()
        if self.request.method not in ("GET", "HEAD"):
            self.require_unchanged(self.request, self.get_serializer(session).data)
        return session

    def perform_destroy(self, instance: Session) -> None:
        """Move it to the trash, as the page does; its owner can restore it for a while."""
        if not Session.objects.filter(pk=instance.pk).soft_delete()[1]:
            raise SessionInProgress


class WordsQuerySerializer(serializers.Serializer):
    first = serializers.IntegerField(min_value=0, default=0, help_text="Index of the first word to return")


@extend_schema(parameters=[WordsQuerySerializer])
class Words(OwnedViewMixin, generics.ListAPIView):
    """The original words of a session, with times."""

    serializer_class = WordSerializer
    pagination_class = WordPagination

    def get_queryset(self) -> QuerySet[Any]:
        if getattr(self, "swagger_fake_view", False):
            return Word.objects.none()
        session = generics.get_object_or_404(super().get_queryset(), pk=self.kwargs["pk"])
        query = WordsQuerySerializer(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        return session.words.filter(index__gte=query.validated_data["first"])


class Export(OwnedViewMixin, APIView):
    """The transcript as a file."""

    @extend_schema(
        parameters=[
            OpenApiParameter("extension", str, OpenApiParameter.PATH, enum=list(FORMATS)),
            *(OpenApiParameter(name, bool) for name in Options.__dataclass_fields__),
        ],
        responses=FILES,
    )
    def get(self, request: Request, pk: str, extension: str) -> HttpResponseBase:
        session = generics.get_object_or_404(self.get_queryset(), pk=pk)
        if extension not in FORMATS:
            raise Http404
        return download(session, FORMATS[extension], Options.of(request.query_params))


class Audio(OwnedViewMixin, APIView):
    """The audio of a session, if saved. Supports `Range` requests."""

    @extend_schema(
        parameters=[OpenApiParameter("extension", str, OpenApiParameter.PATH, enum=["wav", "flac"])],
        responses={
            (200, "audio/wav"): OpenApiResponse(OpenApiTypes.BINARY, "WAV, also while recording"),
            (200, "audio/flac"): OpenApiResponse(OpenApiTypes.BINARY, "FLAC, after compression"),
            206: OpenApiResponse(OpenApiTypes.BINARY, "Partial content"),
            416: OpenApiResponse(description="Range not satisfiable"),
        },
    )
    def get(self, request: Request, pk: str, extension: str) -> HttpResponseBase:
        session = generics.get_object_or_404(self.get_queryset(), pk=pk)
        match extension:
            case "wav":
                return wav_of(request._request, session)
            case "flac":
                return flac_of(request._request, session)
            case _:
                raise Http404
