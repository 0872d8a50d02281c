"""Accounts under `/api/v1/`: the caller's own and, for administrators, all accounts and their approval."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import generics, serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.credentials.drf import HasScope
from accounts.credentials.principal import Caller
from accounts.models import REASON_LENGTH, DecisionError, User
from accounts.scopes import ADMIN, ANY_SCOPE, LABELS
from api.conventions.base import ApiView
from speech.models import ConversationUsage

ACCOUNT_FIELDS = ("id", "email", "status", "is_admin", "date_joined", "usage")


class UsageSerializer(serializers.ModelSerializer):
    """Totals of all conversations of an account, including deleted ones."""

    played_seconds = serializers.FloatField(help_text="Seconds of replies that were played")

    class Meta:
        model = ConversationUsage
        fields = ("conversations", "replies", "prompt_tokens", "completion_tokens", "played_seconds")
        read_only_fields = fields


class UserSerializer(serializers.ModelSerializer):
    is_admin = serializers.BooleanField(source="is_staff", read_only=True)
    usage = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields: tuple[str, ...] = (*ACCOUNT_FIELDS, "decided_at", "decision_reason")
        read_only_fields: tuple[str, ...] = fields

    @extend_schema_field(UsageSerializer)
    def get_usage(self, user: User) -> dict[str, Any]:
        return UsageSerializer(ConversationUsage.of(user)).data


class MeSerializer(UserSerializer):
    scopes = serializers.ListField(child=serializers.ChoiceField(list(LABELS)), help_text="The token's scopes")

    class Meta(UserSerializer.Meta):
        fields = (*ACCOUNT_FIELDS, "scopes")
        read_only_fields = fields


class DecisionSerializer(serializers.Serializer):
    reason = serializers.CharField(max_length=REASON_LENGTH, required=False, allow_blank=True, default="")


class IsNotPublic(BasePermission):
    message = {
        "code": "public_token",
        "what": "Not available with the public token.",
        "why": "It belongs to an account that anyone can use.",
        "action": "Log in, and create a token under Your account > Tokens.",
    }

    def has_permission(self, request: Request, view: object) -> bool:
        return not (isinstance(request.auth, Caller) and request.auth.is_public)


class Me(ApiView, APIView):
    """The current account and the token's scopes."""

    scope = ANY_SCOPE
    permission_classes = (HasScope, IsNotPublic)

    @extend_schema(responses=MeSerializer)
    def get(self, request: Request) -> Response:
        scopes = request.auth.scopes if isinstance(request.auth, Caller) else LABELS
        user = request.user
        user.scopes = sorted(scopes)
        return Response(MeSerializer(user).data)


class IsAdmin(BasePermission):
    message = {
        "code": "not_an_administrator",
        "what": "Administrators only.",
        "why": "Your account isn't an administrator.",
        "action": "Ask an administrator.",
    }

    def has_permission(self, request: Request, view: object) -> bool:
        return bool(request.user.is_admin)


class AdminView(ApiView):
    scope = ADMIN
    permission_classes = (HasScope, IsAdmin)


@extend_schema(
    parameters=[
        OpenApiParameter("status", enum=User.Status.values),
        OpenApiParameter("q", description="Part of the email address"),
    ]
)
class Users(AdminView, generics.ListAPIView):
    """All accounts, pending first."""

    serializer_class = UserSerializer

    def get_queryset(self) -> QuerySet[User]:
        params = self.request.query_params
        users = User.objects.select_related("conversation_usage").filter(
            email__icontains=params.get("q", "").replace("\0", "")
        )
        return (users.filter(status=params["status"]) if params.get("status") else users).pending_first()


class UserDetail(AdminView, generics.RetrieveAPIView):
    serializer_class = UserSerializer
    queryset = User.objects.all()


class Decision(AdminView, APIView):
    """Approve or reject an account. Rejecting ends its streams immediately."""

    verb = ""

    @extend_schema(request=DecisionSerializer, responses=UserSerializer)
    def post(self, request: Request, pk: int) -> Response:
        user = generics.get_object_or_404(User, pk=pk)
        decision = DecisionSerializer(data=request.data)
        decision.is_valid(raise_exception=True)
        try:
            getattr(user, self.verb)(request.user, decision.validated_data["reason"])
        except DecisionError as error:
            raise PermissionDenied(str(error)) from None
        user.refresh_from_db()
        return Response(UserSerializer(user).data)
