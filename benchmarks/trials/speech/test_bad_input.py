"""What takes its time, or real processes that die, of tests/speech/test_bad_input.py."""

import asyncio

from tests.inference.speech_like import noise
from tests.speech.test_bad_input import site
from tests.support.sockets import live_socket, tickets


async def test_a_minute_of_silence_is_no_error(start_site):
    site = start_site(STT_ENGINE="pocketsphinx", STT_SLOTS="1")
    async with live_socket(site, *tickets(site)) as socket:
        await socket.start()
        await socket.say(bytes(2 * 24_000 * 60))
        done = await socket.stop()
    assert done["words"] == 0


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


async def test_a_socket_that_never_starts_is_closed(site):
    async with live_socket(site, *tickets(site)) as socket:
        code, error = await socket.closed(within=14)
        assert (code, error["what"]) == (4008, "No “start” came in 10 s.")
