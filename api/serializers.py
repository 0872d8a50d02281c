"""Serializers of sessions, words, engines and voices. Times are seconds from the start of a session."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from speech.models import Conversation, Session, Word
from speech.models.session import TITLE_LENGTH
from speech.models.tag import MAX_TAGS, TAG_LENGTH


class LedgerSerializer(serializers.Serializer):
    recorded = serializers.IntegerField(help_text="Samples at 24 kHz; all ledger counts are")
    received = serializers.IntegerField()
    stored = serializers.IntegerField()
    dropped = serializers.IntegerField()
    reconnects = serializers.IntegerField()
    engines_lost = serializers.IntegerField()


class ConversationSerializer(serializers.ModelSerializer):
    model = serializers.CharField(help_text="Name of the language model")
    voice = serializers.CharField()
    replies = serializers.IntegerField(source="turns", help_text="Number of replies")
    prompt_tokens = serializers.IntegerField()
    completion_tokens = serializers.IntegerField()
    played_seconds = serializers.FloatField(help_text="Seconds of replies that were played")

    class Meta:
        model = Conversation
        fields = ("model", "voice", "replies", "prompt_tokens", "completion_tokens", "played_seconds")


class SessionSerializer(serializers.ModelSerializer):
    title = serializers.CharField(max_length=TITLE_LENGTH, allow_blank=True, required=False)
    display_title = serializers.CharField(read_only=True, help_text="The title, or the first words if empty")
    duration = serializers.FloatField(read_only=True, help_text="Seconds")
    is_live = serializers.BooleanField(read_only=True, help_text="Whether the session is in progress")
    tags = serializers.ListField(
        child=serializers.CharField(max_length=TAG_LENGTH), max_length=MAX_TAGS, required=False
    )
    ledger = LedgerSerializer(read_only=True)
    conversation = serializers.SerializerMethodField(help_text="Null if the session isn't a conversation")

    class Meta:
        model = Session
        fields = (
            "id",
            "title",
            "display_title",
            "opening",
            "engine",
            "language",
            "tags",
            "started_at",
            "ended_at",
            "duration",
            "is_live",
            "saves_audio",
            "ledger",
            "conversation",
        )
        read_only_fields = ("opening", "engine", "language", "started_at", "ended_at", "saves_audio")

    def to_representation(self, instance: Session) -> dict[str, Any]:
        representation: dict[str, Any] = super().to_representation(_SessionProxy(instance))
        return representation

    @extend_schema_field(ConversationSerializer(allow_null=True))
    def get_conversation(self, session: Session) -> dict[str, Any] | None:
        return ConversationSerializer(session.conversation).data if session.is_conversation else None

    def update(self, instance: Session, validated_data: dict[str, Any]) -> Session:
        if "title" in validated_data:
            instance.title = validated_data["title"]
            instance.save(update_fields=["title"])
        if "tags" in validated_data:
            instance.tag_as(validated_data["tags"])
            instance._prefetched_objects_cache = {}  # type: ignore[attr-defined]
        return instance


class _SessionProxy:
    """A session with the names of its tags, and its ledger as a dict."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    @property
    def tags(self) -> list[str]:
        return [tag.name for tag in self._session.tags.all()]

    @property
    def ledger(self) -> dict[str, int]:
        return self._session.ledger._asdict()


class WordSerializer(serializers.ModelSerializer):
    segment = serializers.IntegerField(source="segment_index", help_text="Index of its segment")
    confidence = serializers.FloatField(allow_null=True, help_text="0 to 1, or null if the engine doesn't report it")

    class Meta:
        model = Word
        fields = ("index", "segment", "text", "start", "end", "confidence")


class EngineSerializer(serializers.Serializer):
    name = serializers.CharField()
    label = serializers.CharField()
    kind = serializers.ChoiceField(["stt", "tts", "dialogue"])
    languages = serializers.DictField(child=serializers.CharField(), help_text="Language code to name")
    slots = serializers.IntegerField(help_text="Concurrent streams of all its processes")
    free = serializers.IntegerField()


class VoiceSerializer(serializers.Serializer):
    name = serializers.CharField()
    engine = serializers.CharField()
    label = serializers.CharField()
    language = serializers.CharField()
    kind = serializers.CharField()
    description = serializers.CharField()
    license = serializers.CharField(help_text="Short name, such as “CC BY 4.0”; empty if unknown")
    is_noncommercial = serializers.BooleanField(help_text="Whether the license allows non-commercial use only")
