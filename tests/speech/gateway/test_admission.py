"""What is told to those who ask for a slot of an engine that is not up yet, or full."""

import asyncio

import msgspec
import pytest
from channels.layers import get_channel_layer
from msgspec.structs import replace

from inference.messages import WEB_GROUP, Status
from speech.errors import AtCapacity, NoEngine
from speech.events import Queued, Starting
from speech.gateway import admission
from speech.gateway.admission import Admission, choose
from speech.gateway.link import Link


@pytest.fixture
async def beat(no_engines):
    """Let an inference process say how it is, and wait until this process has heard it."""
    layer, link = get_channel_layer(), Link.current()

    async def beat(slots, free=0, note=""):
        status = Status("worker", "moshi", "Moshi", {"en": "English"}, slots, free, progress=note)
        message = {"type": "status", "data": msgspec.msgpack.encode(status)}
        async with asyncio.timeout(30):
            while (await link.engines()).get("moshi") != status:
                await layer.group_send(WEB_GROUP, message)
                await asyncio.sleep(0.01)

    return beat


async def ask(may_wait=True):
    return await Admission.request(Link.current(), "", "", position=0, may_wait=may_wait, receive=print)


async def test_what_a_starting_engine_does_is_told_once_and_then_the_place_in_the_queue(beat):
    await beat(slots=0, note="downloading it: 43 %")
    asked = await ask()
    assert asked.poll() == Starting("downloading it: 43 %")
    assert asked.poll() is None
    await beat(slots=0, note="downloading it: 44 %")
    assert asked.poll() == Starting("downloading it: 44 %")
    await beat(slots=1)
    assert asked.poll() == Queued(1)
    assert asked.poll() is None


async def test_an_engine_that_does_not_come_up_in_time_is_told_with_what_it_still_does(beat, monkeypatch):
    monkeypatch.setattr(admission, "GRANT_TIMEOUT", -1.0)
    await beat(slots=0, note="downloading it: 43 %")
    asked = await ask(may_wait=False)
    with pytest.raises(NoEngine) as error:
        asked.poll()
    assert error.value.why == "It is being started: downloading it: 43 %."


async def test_a_full_engine_is_told_to_those_who_do_not_wait(beat, monkeypatch):
    monkeypatch.setattr(admission, "REQUEST_TIMEOUT", -1.0)
    await beat(slots=1)
    asked = await ask(may_wait=False)
    with pytest.raises(AtCapacity):
        asked.poll()


ENGINES = {
    name: Status("worker", name, name, dict.fromkeys(languages, "…"), 8, free)
    for name, languages, free in (("small", ["en"], 3), ("large", ["en"], 8), ("many", ["und", "de", "en"], 5))
}


def test_of_those_that_know_the_language_the_first_in_the_settings_is_chosen(settings):
    settings.STT_ENGINE = ["small", "many"]
    assert choose(ENGINES, "", "").engine == "small"
    assert choose(ENGINES, "", "de-CH").engine == "many"
    assert choose(ENGINES, "large", "").engine == "large"


def test_one_without_a_free_slot_comes_last(settings):
    settings.STT_ENGINE = ["small", "many"]
    full = ENGINES | {"small": replace(ENGINES["small"], free=0)}
    assert choose(full, "", "en").engine == "many"


def test_where_the_settings_name_none_the_one_with_the_most_free_slots_is_chosen(settings):
    settings.STT_ENGINE = ["auto"]
    assert choose(ENGINES, "", "").engine == "large"
