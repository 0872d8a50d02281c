"""A misbehaving client gets a clear error, causes no traceback (see the fixture), and affects no other client."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
import websockets

from tests.support.clients.sockets import LiveSocket, live_socket, tickets
from tests.support.speech.checksum_audio import noise, words_of

Misbehave = Callable[[LiveSocket], Awaitable[None]]


async def invalid_json(socket):
    await socket.socket.send("hello")


async def unknown_type(socket):
    await socket.send(type="dance")


async def unknown_field(socket):
    await socket.send(type="start", color="blue")


async def wrong_field_type(socket):
    await socket.send(type="start", wait="maybe")


async def text_too_long(socket):
    await socket.send(type="start", engine="x" * 10_000)


async def audio_before_start(socket):
    await socket.socket.send(bytes(3840))


async def two_starts(socket):
    await socket.start()
    await socket.send(type="start")


async def odd_number_of_bytes(socket):
    await socket.start()
    await socket.socket.send(bytes(3841))


async def audio_while_paused(socket):
    await socket.start()
    await socket.send(type="pause")
    await socket.until("paused")
    await socket.socket.send(bytes(3840))


async def pause_before_start(socket):
    await socket.send(type="pause")


async def unknown_engine(socket):
    await socket.send(type="start", engine="whisper")


async def unsupported_language(socket):
    await socket.send(type="start", language="tlh")


async def deeply_nested_json(socket):
    await socket.socket.send('{"type":"ping","at":' + "[" * 1_900)


PROTOCOL_ERRORS: list[Misbehave] = [
    invalid_json,
    unknown_type,
    unknown_field,
    wrong_field_type,
    text_too_long,
    audio_before_start,
    two_starts,
    odd_number_of_bytes,
    audio_while_paused,
    pause_before_start,
    unknown_engine,
    unsupported_language,
    deeply_nested_json,
]


async def test_each_protocol_error_is_reported_and_affects_no_other_client(site):
    neighbor_ticket, *others = tickets(site, 1 + len(PROTOCOL_ERRORS))
    pcm = noise(60)
    async with live_socket(site, neighbor_ticket) as neighbor:
        await neighbor.start()
        speaking = asyncio.create_task(neighbor.send_audio(pcm, pace=0.02))
        for misbehave, ticket in zip(PROTOCOL_ERRORS, others, strict=True):
            async with live_socket(site, ticket) as socket:
                await misbehave(socket)
                code, error = await socket.closed()
                assert (code, error.get("code")) == (4008, 4008), misbehave.__name__
                assert error["what"]
                assert error["why"]
                assert error["action"]
        await speaking
        await neighbor.stop()
        assert neighbor.words() == words_of(pcm)


async def test_a_hundred_connections_of_one_user_get_the_maximum_number_of_streams(site_with_one_slot):
    all_answered = asyncio.Barrier(101)

    async def outcome(ticket):
        async with live_socket(site_with_one_slot, ticket) as socket:
            await socket.send(type="start", wait=True)
            response = await socket.next(within=30)
            await all_answered.wait()
            if response["type"] != "error":
                await socket.stop()
            return response.get("code")

    crowd = tickets(site_with_one_slot, 100, email="crowd@example.org")
    outcomes = [asyncio.create_task(outcome(ticket)) for ticket in crowd]
    await all_answered.wait()
    assert Counter(await asyncio.gather(*outcomes)) == {None: 5, 4004: 95}


@pytest.mark.parametrize("ticket", ["", "nonsense", "x" * 5000])
async def test_an_invalid_ticket_is_refused(site, ticket):
    async with live_socket(site, ticket) as socket:
        code, error = await socket.closed()
        assert (code, error["what"]) == (4001, "Invalid ticket.")


async def test_a_ticket_opens_one_connection(site):
    (ticket,) = tickets(site)
    async with live_socket(site, ticket) as first:
        await first.start()
        async with live_socket(site, ticket) as second:
            assert (await second.closed())[0] == 4001
        await first.stop()


ORIGINS = [None, "null", "http://evil.example", "http://127.0.0.1.evil.example"]


async def test_other_origins_are_refused_before_the_upgrade(site):
    (ticket,) = tickets(site)
    for origin in ORIGINS:
        with pytest.raises(websockets.InvalidStatus) as refusal:
            async with live_socket(site, ticket, origin=origin):
                pass
        assert refusal.value.response.status_code == 403, origin


async def test_a_message_of_ten_megabytes_is_refused(site):
    one, two = tickets(site, 2)
    async with live_socket(site, one) as socket, live_socket(site, two) as neighbor:
        await socket.start()
        with suppress(websockets.ConnectionClosed):  # the server may close before all is sent
            await socket.socket.send(bytes(10_000_000))
        assert (await socket.closed())[0] in (1009, 1006)
        await neighbor.start()
        await neighbor.stop()


async def test_a_flood_of_commands_is_ended(site):
    async with live_socket(site, *tickets(site)) as socket:
        await socket.start()
        for _ in range(3000):
            await socket.send(type="resume")
        await socket.send(type="stop")
        assert (await socket.closed())[0] in (1000, 4004, 4009)


@pytest.mark.slow
async def test_a_minute_of_silence_is_valid(start_site):
    site = start_site(STT_ENGINE="pocketsphinx", STT_SLOTS="1")
    async with live_socket(site, *tickets(site)) as socket:
        await socket.start()
        await socket.send_audio(bytes(2 * 24_000 * 60))
        done = await socket.stop()
    assert done["words"] == 0


@pytest.mark.slow
async def test_a_flood_of_audio_is_ended_and_affects_no_other_client(start_site):
    site = start_site(STT_ENGINE="pocketsphinx", STT_SLOTS="2")
    one, two = tickets(site, 2)
    async with live_socket(site, one) as flood, live_socket(site, two) as calm:
        await flood.start()
        await calm.start()
        flooding = asyncio.create_task(flood.send_audio(noise(4000)))
        code, error = await flood.closed()
        flooding.cancel()
        assert (code, error["what"]) == (4004, "Audio was sent faster than it can be transcribed.")
        await calm.send_audio(noise(10))
        await calm.stop()


@pytest.mark.slow
async def test_a_connection_without_start_is_closed(site):
    async with live_socket(site, *tickets(site)) as socket:
        code, error = await socket.closed(within=14)
        assert (code, error["what"]) == (4008, "No “start” received within 10 s.")
