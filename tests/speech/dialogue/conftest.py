"""Whole conversations with real workers on the same event loop: engines whose audio and words are functions of each
other, and a scripted language model."""

import asyncio
import contextlib

import pytest

from accounts.models import User
from inference import worker as workers
from inference.engines.registry import ENGINES
from inference.worker import Worker
from speech import events
from speech.dialogue import conversation as conversations
from speech.dialogue.options import ConversationOptions
from speech.live.stream_options import StreamOptions
from tests.support.speech.conversation import Client, ScriptedModel
from tests.support.speech.link import isolated_layer


@contextlib.asynccontextmanager
async def running_worker(layer, engine, slots=4):
    task = asyncio.create_task(Worker(layer, ENGINES[engine], slots).run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def engines(monkeypatch):
    monkeypatch.setattr(workers, "HEARTBEAT_INTERVAL", 0.05)
    monkeypatch.setattr(workers, "VOICES_INTERVAL", 1)
    async with isolated_layer() as layer, running_worker(layer, "encoded-words"), running_worker(layer, "tones"):
        yield


@pytest.fixture
def owner(transactional_db):
    return User.objects.create_user("ada@example.org", status="approved")


@pytest.fixture
def model(monkeypatch):
    model = ScriptedModel()

    async def language_model(name):
        return model

    monkeypatch.setattr(conversations, "language_model", language_model)
    return model


@pytest.fixture
async def talk(owner, model, engines):
    """Start a conversation of the owner: `await talk(**options)`. It is ended with the test."""
    clients = []

    async def start(**options):
        stream = StreamOptions(session=options.pop("session", None), saves_audio=options.pop("audio", False))
        client = Client(owner, ConversationOptions(stream=stream, **options))
        clients.append(client)
        await client.until(events.Ready)
        return client

    yield start
    for client in clients:
        client.task.cancel()
    await asyncio.gather(*(client.task for client in clients), return_exceptions=True)
