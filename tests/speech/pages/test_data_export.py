"""The data export is complete, and a deleted account leaves nothing."""

import io
import json
import zipfile

import numpy as np
import pytest
from django.test import Client

from accounts.models import User
from speech.gateway.database import in_database
from speech.library.recording import Recorder, Recording
from speech.library.recording.compression import compress
from speech.models import Conversation, ConversationUsage, Correction, Persona, Segment, Session, Share, Tag, Word
from speech.models.conversation import ASSISTANT, USER
from tests.support.speech.sessions import create_conversation, create_session, create_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def session(owner, settings, tmp_path):
    create_session(create_user("eve@example.org"), "not yours")
    settings.AUDIO_DIR = tmp_path
    session = create_session(owner, "in the hart of paris", saves_audio=True)
    Correction.rewrite(session.segments.get(), session.owner, "in the heart of Paris")
    session.tag_as(["travel"])
    Share.create(session, days=7, has_audio=True)
    Persona.create(owner, "Pirate", "Talk like a pirate.")
    Recorder(session.pk, 0, 0, None).append(0, np.ones(50_000, "<i2").tobytes())
    compress(session.pk)
    return session


async def body_of(response):
    return b"".join([chunk async for chunk in response])


async def test_the_zip_has_every_session_completely(session):
    from django.test import AsyncClient

    client = AsyncClient()
    await client.aforce_login(session.owner)
    response = await client.post("/accounts/data/download/")
    archive = zipfile.ZipFile(io.BytesIO(await body_of(response)))
    files = {name.rpartition("/")[2]: archive.read(name) for name in archive.namelist()}
    assert set(files) == {"account.json", "transcript.txt", "transcript.json", "session.json", "audio.flac"}
    account = json.loads(files["account.json"])
    assert account["email"] == "ada@example.org"
    assert [each["instructions"] for each in account["personas"]] == ["Talk like a pirate."]
    assert b"in the heart of Paris" in files["transcript.txt"]
    details = json.loads(files["session.json"])
    assert [word["text"] for word in details["original_words"]] == ["in", "the", "hart", "of", "paris"]
    assert details["corrections"][0]["after"] == "in the heart of Paris"
    assert details["conversation"] is None
    assert files["audio.flac"] == Recording(session.pk).flac.read_bytes()


async def test_the_zip_has_the_instructions_of_a_conversation(owner):
    from django.test import AsyncClient

    def create():
        session = create_conversation(owner, (USER, 0.0, "good morning"), (ASSISTANT, 2.0, "Hello!"))
        session.conversation.add_usage(prompt_tokens=90, completion_tokens=10, played_samples=24_000, turns=1)

    await in_database(create)
    client = AsyncClient()
    await client.aforce_login(owner)
    response = await client.post("/accounts/data/download/")
    archive = zipfile.ZipFile(io.BytesIO(await body_of(response)))
    files = {name.rpartition("/")[2]: archive.read(name).decode() for name in archive.namelist()}
    assert json.loads(files["session.json"])["conversation"] == {
        "instructions": "Be kind.",
        "model": "demo",
        "voice": "amy",
        "voice_engine": "piper",
        "turns": 1,
        "prompt_tokens": 90,
        "completion_tokens": 10,
        "played_samples": 24_000,
    }
    assert json.loads(files["account.json"])["conversation_usage"] == {
        "conversations": 1,
        "replies": 1,
        "played_samples": 24_000,
        "prompt_tokens": 90,
        "completion_tokens": 10,
    }
    assert "Assistant: Hello!" in files["transcript.txt"]


def test_the_page_offers_the_export(pages):
    assert "Download all my data" in pages.get("/accounts/data/").content.decode()


def test_the_page_shows_the_usage_of_conversations(pages, owner):
    assert "<h2>Conversations</h2>" not in pages.get("/accounts/data/").content.decode()
    session = create_conversation(owner, (USER, 0.0, "good morning"))
    session.conversation.add_usage(prompt_tokens=1_000, completion_tokens=34, played_samples=65 * 24_000, turns=2)
    session.delete()
    html = pages.get("/accounts/data/").content.decode()
    assert "<dd>2, 1:05 played</dd>" in html
    assert "<dd>1,000 in prompts, 34 generated</dd>" in html


def test_a_deleted_account_leaves_nothing(session):
    create_conversation(session.owner, (USER, 0.0, "good morning"), (ASSISTANT, 2.0, "Hello!"))
    link = Share.objects.get().get_absolute_url()
    session.owner.close_account()
    assert [user.email for user in User.objects.all()] == ["eve@example.org"]
    assert Session.objects.count() == Segment.objects.count() == 1
    assert Word.objects.count() == 2
    assert [model.objects.count() for model in (Tag, Share, Correction, Conversation, ConversationUsage, Persona)] == [
        0
    ] * 6
    assert not Recording(session.pk).folder.exists()
    assert Client().get(link).status_code == 404


async def test_an_account_downloads_one_archive_at_a_time(session):
    from django.test import AsyncClient

    client = AsyncClient()
    await client.aforce_login(session.owner)
    first = await client.post("/accounts/data/download/")
    refused = await client.post("/accounts/data/download/", follow=True)
    assert "You are downloading another archive." in refused.content.decode()
    await in_database(first.close)
    assert zipfile.ZipFile(io.BytesIO(await body_of(await client.post("/accounts/data/download/")))).testzip() is None
