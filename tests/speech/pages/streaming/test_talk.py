"""The Talk page."""

import pytest
from django.test import Client

from accounts.models import User
from speech.gateway import workers
from speech.llm.config import ModelInfo
from speech.models import Conversation, Persona
from tests.support.speech.sessions import create_session, create_user

MODELS = [
    ModelInfo(
        "small", "Small", "https://models.example.org/v1", "small", "secret key", is_local=False, speculates=False
    ),
    ModelInfo("demo", "Demo", "http://demo/v1", "demo", "", is_local=True, speculates=True, is_demo=True),
]


@pytest.fixture
def page(db, monkeypatch):
    monkeypatch.setattr(workers, "DISCOVERY_TIMEOUT", 0.0)  # no engine runs here, so don't wait for one
    monkeypatch.setattr(workers, "VOICES_TIMEOUT", 0.0)
    client = Client()
    client.force_login(User.objects.create_user("ada@example.org", status="approved"))
    return client


@pytest.fixture
def models(monkeypatch):
    """`models(infos)` sets the language models that are available."""

    def set_models(infos):
        async def available_models():
            return infos

        monkeypatch.setattr("speech.pages.streaming.talk.available_models", available_models)

    set_models(MODELS)
    return set_models


def test_language_models_are_offered_without_their_secrets(page, models):
    response = page.get("/talk/")
    assert response.context["config"]["models"] == [
        {"name": "small", "label": "Small", "isDemo": False, "host": "models.example.org"},
        {"name": "demo", "label": "Demo", "isDemo": True, "host": ""},
    ]
    assert "secret key" not in response.content.decode()


def test_built_in_personas_come_before_those_of_the_user(page, models):
    Persona.create(User.objects.get(), "Pirate", "Speak like a pirate.")
    Persona.create(create_user("eve@example.org"), "Secret", "Not for Ada.")
    personas = page.get("/talk/").context["config"]["personas"]
    assert [persona["id"] for persona in personas[:-1]] == [None] * (len(personas) - 1)
    assert (personas[-1]["name"], personas[-1]["instructions"]) == ("Pirate", "Speak like a pirate.")


def test_a_conversation_is_continued_with_its_settings(page, models):
    session = create_session(User.objects.get(), "hello there")
    Conversation.open(session.pk, instructions="Be brief.", model="demo", voice="alba", voice_engine="piper")
    earlier = page.get(f"/talk/?session={session.pk}").context["config"]["session"]
    assert (earlier["id"], earlier["instructions"], earlier["model"]) == (str(session.pk), "Be brief.", "demo")
    assert earlier["voice"] == "piper/alba"
    assert earlier["turns"] == [{"speaker": "User", "text": "hello there"}]


def test_only_own_conversations_are_continued(page, models):
    own = create_session(User.objects.get(), "no conversation")
    other = create_session(create_user("eve@example.org"), "private words")
    Conversation.open(other.pk, instructions="", model="demo", voice="alba", voice_engine="piper")
    for pk in (own.pk, other.pk, "1"):
        assert page.get(f"/talk/?session={pk}").status_code == 404


def test_what_is_missing_is_said(page, models):
    models([])
    content = page.get("/talk/").content.decode()
    assert "No language model is available." in content
    assert "No speech-to-text engine is running." in content
    models(MODELS)
    assert "No language model is available." not in page.get("/talk/").content.decode()


def test_anonymous_and_unapproved_users_are_redirected(db):
    client = Client()
    assert client.get("/talk/").status_code == 302
    client.force_login(User.objects.create_user("grace@example.org"))
    assert client.get("/talk/").status_code == 302
