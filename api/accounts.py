"""Accounts under `/api/v1/`: one's own and, for administrators, everybody's, with the decisions over them."""

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.credentials.principal import Caller
from accounts.models import REASON_LENGTH, DecisionError, User
from accounts.scopes import ADMIN, LABELS
from api.conventions.base import ApiView

ABOUT = ("id", "email", "status", "is_admin", "date_joined")


class UserSerializer(serializers.ModelSerializer):
    is_admin = serializers.BooleanField(source="is_staff", read_only=True)

    class Meta:
        model = User
        fields: tuple[str, ...] = (*ABOUT, "decided_at", "decision_reason")
        read_only_fields: tuple[str, ...] = fields


class MeSerializer(UserSerializer):
    scopes = serializers.ListField(child=serializers.ChoiceField(list(LABELS)), help_text="What the token may do")

    class Meta(UserSerializer.Meta):
        fields = (*ABOUT, "scopes")
        read_only_fields = fields


class DecisionSerializer(serializers.Serializer):
    reason = serializers.CharField(max_length=REASON_LENGTH, required=False, allow_blank=True, default="")


class Me(ApiView, APIView):
    """Whose token it is, and what it may do."""

    @extend_schema(responses=MeSerializer)
    def get(self, request: Request) -> Response:
        scopes = request.auth.scopes if isinstance(request.auth, Caller) else LABELS
        me = request.user
        me.scopes = sorted(scopes)
        return Response(MeSerializer(me).data)


class IsAdmin(BasePermission):
    message = {
        "code": "not_an_administrator",
        "what": "This is for administrators.",
        "why": "Your account is none.",
        "action": "Ask one of them.",
    }

    def has_permission(self, request: Request, view: object) -> bool:
        return bool(request.user.is_admin)


class AdminView(ApiView):
    scope = ADMIN

    def get_permissions(self) -> list[BasePermission]:
        return [*super().get_permissions(), IsAdmin()]


@extend_schema(
    parameters=[
        OpenApiParameter("status", enum=User.Status.values),
        OpenApiParameter("q", description="A part of the e-mail address"),
    ]
)
class Users(AdminView, generics.ListAPIView):
    """All accounts, those first that wait for a decision."""

    serializer_class = UserSerializer

    def get_queryset(self) -> QuerySet[User]:
        asked = self.request.query_params
        users = User.objects.filter(email__icontains=asked.get("q", "").replace("\0", ""))
        return (users.filter(status=asked["status"]) if asked.get("status") else users).pending_first()


class UserDetail(AdminView, generics.RetrieveAPIView):
    serializer_class = UserSerializer
    queryset = User.objects.all()


class Decision(AdminView, APIView):
    """Approve or reject an account; a rejection ends its streams at once."""

    verb = ""

    @extend_schema(request=DecisionSerializer, responses=UserSerializer)
    def post(self, request: Request, pk: int) -> Response:
        user = generics.get_object_or_404(User, pk=pk)
        sent = DecisionSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        try:
            getattr(user, self.verb)(request.user, sent.validated_data["reason"])
        except DecisionError as refused:
            raise PermissionDenied(str(refused)) from None
        user.refresh_from_db()
        return Response(UserSerializer(user).data)
