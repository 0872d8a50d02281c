"""A client that misbehaves gets a clear answer, leaves no traceback (the fixture looks), and harms nobody else."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
import websockets

from tests.support.clients.sockets import LiveSocket, live_socket, tickets
from tests.support.servers.site import running_site
from tests.support.speech.checksum_audio import noise, words_of

Misbehave = Callable[[LiveSocket], Awaitable[None]]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with running_site(
        tmp_path_factory.mktemp("site"), STT_ENGINE="checksum", STT_SLOTS="8", STREAMS_PER_USER="5"
    ) as site:
        yield site


async def text_that_is_no_json(socket):
    await socket.socket.send("hello")


async def an_unknown_type(socket):
    await socket.send(type="dance")


async def an_unknown_field(socket):
    await socket.send(type="start", colour="blue")


async def a_wrong_type_of_field(socket):
    await socket.send(type="start", wait="maybe")


async def a_very_long_text(socket):
    await socket.send(type="start", engine="x" * 10_000)


async def audio_before_start(socket):
    await socket.socket.send(bytes(3840))


async def two_starts(socket):
    await socket.start()
    await socket.send(type="start")


async def an_odd_number_of_bytes(socket):
    await socket.start()
    await socket.socket.send(bytes(3841))


async def audio_in_a_pause(socket):
    await socket.start()
    await socket.send(type="pause")
    await socket.until("paused")
    await socket.socket.send(bytes(3840))


async def a_pause_before_start(socket):
    await socket.send(type="pause")


async def an_engine_that_is_not_there(socket):
    await socket.send(type="start", engine="whisper")


async def a_language_nobody_knows(socket):
    await socket.send(type="start", language="tlh")


async def brackets_without_end(socket):
    await socket.socket.send('{"type":"ping","at":' + "[" * 1_900)


PROTOCOL_ERRORS: list[Misbehave] = [
    text_that_is_no_json,
    an_unknown_type,
    an_unknown_field,
    a_wrong_type_of_field,
    a_very_long_text,
    audio_before_start,
    two_starts,
    an_odd_number_of_bytes,
    audio_in_a_pause,
    a_pause_before_start,
    an_engine_that_is_not_there,
    a_language_nobody_knows,
    brackets_without_end,
]


async def test_every_protocol_error_is_named_and_harms_nobody_else(site):
    neighbour_ticket, *others = tickets(site, 1 + len(PROTOCOL_ERRORS))
    pcm = noise(60)
    async with live_socket(site, neighbour_ticket) as neighbour:
        await neighbour.start()
        speaking = asyncio.create_task(neighbour.say(pcm, pace=0.02))
        for misbehave, ticket in zip(PROTOCOL_ERRORS, others, strict=True):
            async with live_socket(site, ticket) as socket:
                await misbehave(socket)
                code, error = await socket.closed()
                assert (code, error.get("code")) == (4008, 4008), misbehave.__name__
                assert error["what"]
                assert error["why"]
                assert error["action"]
        await speaking
        await neighbour.stop()
        assert neighbour.words() == words_of(pcm)


async def test_a_hundred_sockets_of_one_user_get_as_many_streams_as_one_user_may_have(site):
    everybody_asked = asyncio.Barrier(101)

    async def outcome(ticket):
        async with live_socket(site, ticket) as socket:
            await socket.send(type="start")
            answer = await socket.next(within=30)
            await everybody_asked.wait()
            return answer["type"], answer.get("code")

    asking = [asyncio.create_task(outcome(ticket)) for ticket in tickets(site, 100, email="crowd@example.org")]
    await everybody_asked.wait()
    assert Counter(await asyncio.gather(*asking)) == {("ready", None): 5, ("error", 4004): 95}


@pytest.mark.parametrize("ticket", ["", "nonsense", "x" * 5000])
async def test_a_ticket_that_is_none_opens_nothing(site, ticket):
    async with live_socket(site, ticket) as socket:
        code, error = await socket.closed()
        assert (code, error["what"]) == (4001, "The ticket was refused.")


async def test_a_ticket_opens_one_socket(site):
    (ticket,) = tickets(site)
    async with live_socket(site, ticket) as first:
        await first.start()
        async with live_socket(site, ticket) as second:
            assert (await second.closed())[0] == 4001
        await first.stop()


ORIGINS = [None, "null", "http://evil.example", "http://127.0.0.1.evil.example"]


async def test_other_origins_are_refused_at_the_door(site):
    (ticket,) = tickets(site)
    for origin in ORIGINS:
        with pytest.raises(websockets.InvalidStatus) as refusal:
            async with live_socket(site, ticket, origin=origin):
                pass
        assert refusal.value.response.status_code == 403, origin


async def test_a_message_of_ten_megabytes_is_refused_before_it_is_read(site):
    one, two = tickets(site, 2)
    async with live_socket(site, one) as socket, live_socket(site, two) as neighbour:
        await socket.start()
        with suppress(websockets.ConnectionClosed):  # it may be cut off before all is sent
            await socket.socket.send(bytes(10_000_000))
        assert (await socket.closed())[0] in (1009, 1006)
        await neighbour.start()
        await neighbour.stop()


async def test_commands_may_not_flood_either(site):
    async with live_socket(site, *tickets(site)) as socket:
        await socket.start()
        for _ in range(3000):
            await socket.send(type="resume")
        await socket.send(type="stop")
        assert (await socket.closed())[0] in (1000, 4004, 4009)


@pytest.mark.slow
async def test_a_minute_of_silence_is_no_error(start_site):
    site = start_site(STT_ENGINE="pocketsphinx", STT_SLOTS="1")
    async with live_socket(site, *tickets(site)) as socket:
        await socket.start()
        await socket.say(bytes(2 * 24_000 * 60))
        done = await socket.stop()
    assert done["words"] == 0


@pytest.mark.slow
async def test_a_flood_is_ended_and_harms_nobody_else(start_site):
    site = start_site(STT_ENGINE="pocketsphinx", STT_SLOTS="2")
    one, two = tickets(site, 2)
    async with live_socket(site, one) as flood, live_socket(site, two) as calm:
        await flood.start()
        await calm.start()
        flooding = asyncio.create_task(flood.say(noise(4000)))
        code, error = await flood.closed()
        flooding.cancel()
        assert (code, error["what"]) == (4004, "The audio came faster than it can be transcribed.")
        await calm.say(noise(10))
        await calm.stop()


@pytest.mark.slow
async def test_a_socket_that_never_starts_is_closed(site):
    async with live_socket(site, *tickets(site)) as socket:
        code, error = await socket.closed(within=14)
        assert (code, error["what"]) == (4008, "No “start” came in 10 s.")
