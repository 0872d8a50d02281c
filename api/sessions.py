"""Sessions: what the history shows of them, for programs."""

from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import generics
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.scopes import SESSIONS
from api.conventions.base import ApiView
from api.conventions.etags import ETagMixin
from api.serializers import SessionSerializer, WordSerializer
from speech.library.exports import FORMATS, Options
from speech.library.exports.responses import download
from speech.library.recording.responses import flac_of, wav_of
from speech.library.search import Query, find
from speech.models import Session, Word

MAX_RESULTS = 1_000
FILES = {
    (200, format.content_type.partition(";")[0]): OpenApiResponse(
        OpenApiTypes.OBJECT if format.extension == "json" else OpenApiTypes.BINARY, format.label
    )
    for format in FORMATS.values()
}
"""The answers of an export, by what they are."""
ORDERS = ("-created_at", "created_at", "-samples", "samples")


class StillLive(APIException):
    status_code = 409
    default_code = "still_live"
    default_detail = "Somebody is speaking into this session. Stop it first."


class OwnedViewMixin(ApiView):
    scope = SESSIONS

    def get_queryset(self) -> QuerySet[Any]:
        mine: QuerySet[Any] = Session.objects.of(self.request.user).begun()  # type: ignore[attr-defined]
        return mine.prefetch_related("tags")


@extend_schema(
    parameters=[
        OpenApiParameter("q", description="Words that were said, a title or a tag"),
        OpenApiParameter("tag", description="Those with this tag"),
        OpenApiParameter("order", enum=ORDERS, description="`samples` is the length"),
    ]
)
class Sessions(OwnedViewMixin, generics.ListAPIView):
    """The sessions of the account, the newest first."""

    serializer_class = SessionSerializer

    def get_queryset(self) -> QuerySet[Any]:
        asked = self.request.query_params
        mine = super().get_queryset()
        if tag := asked.get("tag"):
            mine = mine.filter(tags__name__iexact=tag)
        if q := asked.get("q", "").replace("\0", ""):
            said = {hit.session_id for hit in find(Query(q), self.request.user, Session.objects.all(), MAX_RESULTS)}
            mine = mine.filter(Q(pk__in=said) | Q(title__icontains=q) | Q(tags__name__iexact=q)).distinct()
        order = asked.get("order", ORDERS[0])
        if order not in ORDERS:
            raise ValidationError({"order": [f"It is one of: {', '.join(ORDERS)}."]})
        return mine.order_by(order, "-id")


class SessionDetail(ETagMixin, OwnedViewMixin, generics.RetrieveUpdateDestroyAPIView):
    """One session: read it, rename it, tag it, delete it. `If-Match` guards against overwriting what others did."""

    serializer_class = SessionSerializer
    http_method_names = ["get", "head", "options", "patch", "delete"]

    def get_object(self) -> Session:
        session: Session = super().get_object()
        if self.request.method not in ("GET", "HEAD"):
            self.require_unchanged(self.request, self.get_serializer(session).data)
        return session

    def perform_destroy(self, instance: Session) -> None:
        """As on the page: it can be put back for a while."""
        if not Session.objects.filter(pk=instance.pk).soft_delete()[1]:
            raise StillLive


class Words(OwnedViewMixin, generics.ListAPIView):
    """The words of a session as they were heard, with their times."""

    serializer_class = WordSerializer

    def get_queryset(self) -> QuerySet[Any]:
        if getattr(self, "swagger_fake_view", False):
            return Word.objects.none()
        session = generics.get_object_or_404(super().get_queryset(), pk=self.kwargs["pk"])
        return session.words.all()


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
    """The sound of a session that kept it. Parts are given where `Range` asks for them."""

    @extend_schema(
        parameters=[OpenApiParameter("extension", str, OpenApiParameter.PATH, enum=["wav", "flac"])],
        responses={
            (200, "audio/wav"): OpenApiResponse(OpenApiTypes.BINARY, "All of it, also while it is recorded"),
            (200, "audio/flac"): OpenApiResponse(OpenApiTypes.BINARY, "Once it is compressed"),
            206: OpenApiResponse(OpenApiTypes.BINARY, "A part"),
            416: OpenApiResponse(description="There is no such part"),
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
