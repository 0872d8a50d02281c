"""Personas under `/api/v1/`: the account's own instructions for language models."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.scopes import SESSIONS
from api.conventions.base import ApiView
from api.conventions.etags import ETagMixin
from api.conventions.idempotency import PARAMETER, idempotent, responses_of
from speech.models import Persona
from speech.models.conversation import INSTRUCTIONS_LENGTH
from speech.models.persona import MAX_PERSONAS, PERSONA_NAME_LENGTH, PersonaExists, TooManyPersonas


class TooMany(APIException):
    status_code = 409
    default_code = "too_many_personas"
    default_detail = f"You have {MAX_PERSONAS} personas, the maximum. Delete one first."


class PersonaSerializer(serializers.ModelSerializer):
    name = serializers.CharField(max_length=PERSONA_NAME_LENGTH, help_text="Unique, ignoring case")
    instructions = serializers.CharField(max_length=INSTRUCTIONS_LENGTH, help_text="For the language model")

    class Meta:
        model = Persona
        fields = ("id", "name", "instructions", "created_at")
        read_only_fields = ("created_at",)

    def create(self, validated_data: dict[str, Any]) -> Persona:
        try:
            return Persona.create(self.context["request"].user, **validated_data)
        except PersonaExists:
            raise NAME_IS_TAKEN from None
        except TooManyPersonas:
            raise TooMany from None

    def update(self, instance: Persona, validated_data: dict[str, Any]) -> Persona:
        try:
            instance.change(**validated_data)
        except PersonaExists:
            raise NAME_IS_TAKEN from None
        return instance


NAME_IS_TAKEN = ValidationError({"name": ["You already have a persona with this name."]})


class OwnedViewMixin(ApiView):
    scope = SESSIONS
    serializer_class = PersonaSerializer

    def get_queryset(self) -> QuerySet[Persona]:
        if getattr(self, "swagger_fake_view", False):
            return Persona.objects.none()
        return Persona.objects.filter(owner=self.request.user)  # type: ignore[attr-defined]


class Personas(OwnedViewMixin, generics.ListCreateAPIView):
    """The account's own personas, by name. The built-in ones are not among them."""

    @extend_schema(
        parameters=[PARAMETER],
        responses=responses_of(
            PersonaSerializer, "Too many personas, or the first request with this key is still in progress"
        ),
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Create a persona."""
        return self.create(request)


class PersonaDetail(ETagMixin, OwnedViewMixin, generics.RetrieveUpdateDestroyAPIView):
    """Read, change or delete a persona. `If-Match` prevents overwriting others' changes."""

    http_method_names = ["get", "head", "options", "patch", "delete"]

    def get_object(self) -> Persona:
        persona: Persona = super().get_object()
        if self.request.method not in ("GET", "HEAD"):
            self.require_unchanged(self.request, self.get_serializer(persona).data)
        return persona
