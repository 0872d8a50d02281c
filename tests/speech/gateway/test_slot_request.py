"""Requests for a slot of an engine that is starting, or full."""

import asyncio

import msgspec
import pytest
from channels.layers import get_channel_layer
from msgspec.structs import replace

from inference.messages import WEB_GROUP, Status
from speech.errors import AtCapacity, NoEngine, ProtocolError
from speech.events import Queued, Starting
from speech.gateway import slot_request
from speech.gateway.link import Link
from speech.gateway.slot_request import SlotRequest, choose


@pytest.fixture
async def heartbeat(no_engines):
    """Send the status of an inference process, and wait until this process has received it."""
    layer, link = get_channel_layer(), Link.current()

    async def heartbeat(slots, free=0, progress=""):
        status = Status("worker", "moshi", "Moshi", {"en": "English"}, slots, free, progress=progress)
        message = {"type": "status", "data": msgspec.msgpack.encode(status)}
        async with asyncio.timeout(30):
            while (await link.workers.engines()).get("moshi") != status:
                await layer.group_send(WEB_GROUP, message)
                await asyncio.sleep(0.01)

    return heartbeat


def slot_request_of(may_wait):
    return SlotRequest(Link.current(), print, kind="stt", may_wait=may_wait)


async def test_startup_progress_and_then_the_queue_position_are_reported_once_each(heartbeat):
    await heartbeat(slots=0, progress="downloading it: 43 %")
    request = slot_request_of(may_wait=True)
    assert await request.poll(0) == Starting("downloading it: 43 %")
    assert await request.poll(0) is None
    await heartbeat(slots=0, progress="downloading it: 44 %")
    assert await request.poll(0) == Starting("downloading it: 44 %")
    await heartbeat(slots=1)
    assert await request.poll(0) == Queued(1)
    assert await request.poll(0) is None


async def test_an_engine_that_does_not_start_in_time_fails_the_request_with_its_progress(heartbeat, monkeypatch):
    monkeypatch.setattr(slot_request, "GRANT_TIMEOUT", -1.0)
    await heartbeat(slots=0, progress="downloading it: 43 %")
    with pytest.raises(NoEngine) as error:
        await slot_request_of(may_wait=False).poll(0)
    assert error.value.why == "The engine is starting: downloading it: 43 %."


async def test_a_full_engine_fails_a_request_that_does_not_queue(heartbeat, monkeypatch):
    monkeypatch.setattr(slot_request, "REQUEST_TIMEOUT", -1.0)
    await heartbeat(slots=1)
    with pytest.raises(AtCapacity):
        await slot_request_of(may_wait=False).poll(0)


ENGINES = {
    name: Status("worker", name, name, dict.fromkeys(languages, "…"), 8, free)
    for name, languages, free in (("small", ["en"], 3), ("large", ["en"], 8), ("many", ["und", "de", "en"], 5))
}


def test_the_first_engine_in_the_settings_that_supports_the_language_is_chosen(settings):
    settings.STT_ENGINE = ["small", "many"]
    assert choose(ENGINES, "", "").engine == "small"
    assert choose(ENGINES, "", "de-CH").engine == "many"
    assert choose(ENGINES, "large", "").engine == "large"


@pytest.mark.parametrize("language", ["DE", "de_AT", "German"])
def test_languages_are_understood_as_clients_write_them(settings, language):
    settings.STT_ENGINE = ["small", "many"]
    assert choose(ENGINES, "", language).engine == "many"


@pytest.mark.parametrize("language", ["auto", "multi"])
def test_a_request_for_detection_prefers_an_engine_that_detects(settings, language):
    settings.STT_ENGINE = ["small", "many"]
    assert choose(ENGINES, "", language).engine == "many"
    assert choose(ENGINES, "small", language).engine == "small"


def test_a_translation_is_made_by_an_engine_that_can(settings):
    settings.STT_ENGINE = ["small", "many"]
    with pytest.raises(ProtocolError, match="Engines that translate into English: none of those running"):
        choose(ENGINES, "", "", translates=True)
    engines = ENGINES | {"many": replace(ENGINES["many"], translates=True)}
    assert choose(engines, "", "auto", translates=True).engine == "many"
    with pytest.raises(ProtocolError, match="Engines that translate into English: many"):
        choose(engines, "small", "", translates=True)


def test_an_engine_without_a_free_slot_comes_last(settings):
    settings.STT_ENGINE = ["small", "many"]
    full = ENGINES | {"small": replace(ENGINES["small"], free=0)}
    assert choose(full, "", "en").engine == "many"


def test_without_a_name_in_the_settings_the_engine_with_most_free_slots_is_chosen(settings):
    settings.STT_ENGINE = ["auto"]
    assert choose(ENGINES, "", "").engine == "large"
