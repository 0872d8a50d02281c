"""Webhooks under `/api/v1/`: a program subscribes to events, as its user can on the page for webhooks."""

from typing import Any

from django.core.exceptions import ValidationError as InvalidUrl
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.credentials.principal import Caller
from accounts.scopes import ADMIN, SESSIONS
from api.conventions.base import ApiView
from api.conventions.etags import ETagMixin
from api.conventions.idempotency import PARAMETER, idempotent, responses_of
from webhooks.forms import clean_url, events_for
from webhooks.models import MAX_URL_LENGTH, MAX_WEBHOOKS_PER_USER, Event, TooManyWebhooks, Webhook


class TooMany(APIException):
    status_code = 409
    default_code = "too_many_webhooks"
    default_detail = f"You have {MAX_WEBHOOKS_PER_USER} webhooks, the maximum. Delete one first."


class WebhookSerializer(serializers.ModelSerializer):
    url = serializers.URLField(max_length=MAX_URL_LENGTH, help_text="https, of a host with a public address")
    events = serializers.ListField(
        child=serializers.ChoiceField(Event.choices),
        min_length=1,
        help_text="user.pending requires an administrator's token with the scope “admin”",
    )
    is_active = serializers.BooleanField(required=False, help_text="Whether events are delivered")

    class Meta:
        model = Webhook
        fields: tuple[str, ...] = ("id", "url", "events", "is_active", "created_at")
        read_only_fields: tuple[str, ...] = ("created_at",)

    def validate_url(self, url: str) -> str:
        try:
            return clean_url(url)
        except InvalidUrl as error:
            raise serializers.ValidationError(error.messages) from None

    def validate_events(self, events: list[str]) -> list[str]:
        request = self.context["request"]
        allowed = {name for name, _ in events_for(request.user)}
        if isinstance(request.auth, Caller) and ADMIN not in request.auth.scopes:
            allowed.discard(Event.USER_PENDING)
        if forbidden := sorted(set(events) - allowed):
            why = "Only an administrator's token with the scope “admin” can subscribe to it."
            raise serializers.ValidationError(f"“{forbidden[0]}” isn't available. {why}")
        return sorted(set(events))


class NewWebhookSerializer(WebhookSerializer):
    secret = serializers.CharField(read_only=True, help_text="Verifies signatures; only this response has it")

    class Meta(WebhookSerializer.Meta):
        fields = (*WebhookSerializer.Meta.fields, "secret")
        read_only_fields = (*WebhookSerializer.Meta.read_only_fields, "secret")

    def create(self, validated_data: dict[str, Any]) -> Webhook:
        try:
            return Webhook.create(self.context["request"].user, **validated_data)
        except TooManyWebhooks:
            raise TooMany from None


class OwnedViewMixin(ApiView):
    scope = SESSIONS
    serializer_class: type[WebhookSerializer] = WebhookSerializer

    def get_queryset(self) -> QuerySet[Webhook]:
        if getattr(self, "swagger_fake_view", False):
            return Webhook.objects.none()
        return Webhook.objects.filter(owner=self.request.user)  # type: ignore[attr-defined]


class Webhooks(OwnedViewMixin, generics.ListCreateAPIView):
    """The account's webhooks, in the order of their creation."""

    def get_serializer_class(self) -> type[WebhookSerializer]:
        return NewWebhookSerializer if self.request.method == "POST" else WebhookSerializer

    @extend_schema(
        parameters=[PARAMETER],
        responses=responses_of(
            NewWebhookSerializer, "Too many webhooks, or the first request with this key is still in progress"
        ),
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Subscribe to events. The response has the secret that verifies the signatures of deliveries."""
        return self.create(request)


class WebhookDetail(ETagMixin, OwnedViewMixin, generics.RetrieveUpdateDestroyAPIView):
    """Read, change or delete a webhook. `If-Match` prevents overwriting others' changes."""

    http_method_names = ["get", "head", "options", "patch", "delete"]

    def get_object(self) -> Webhook:
        webhook: Webhook = super().get_object()
        if self.request.method not in ("GET", "HEAD"):
            self.require_unchanged(self.request, self.get_serializer(webhook).data)
        return webhook
