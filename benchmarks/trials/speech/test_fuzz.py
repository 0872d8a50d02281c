"""Ten thousand messages that make little sense, and what they must not do."""

import asyncio
import json
import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import cycle, islice
from threading import Event

import pytest
import websockets
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference.messages import FRAME_BYTES
from tests.inference.speech_like import noise, words_of
from tests.support.sockets import live_socket, tickets

SOCKETS = 320
AT_ONCE = 8
MESSAGES = 10_000
NEIGHBOUR_FRAMES = 6_000

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
kinds = st.sampled_from(["start", "pause", "resume", "stop", "ping", "ready", "word", ""])
fields = st.sampled_from(["engine", "language", "wait", "session", "dropped", "at", "type", "seq"])
frames = st.sampled_from([2, 480, FRAME_BYTES, 65_536]).map(bytes)
pings = st.just('{"type": "ping", "at": 1}')
sense = frames | pings
half_formed = st.builds(lambda kind, more: json.dumps({"type": kind, **more}), kinds, st.dictionaries(fields, anything))
torn = half_formed.flatmap(lambda text: st.integers(0, len(text)).map(lambda end: text[:end]))
commands = st.sampled_from(["start", "pause", "resume", "stop"]).map(lambda kind: json.dumps({"type": kind}))
odd = st.sampled_from([0, 1, 3839, 65_537]).map(bytes)
nonsense = commands | half_formed | torn | odd | st.text(max_size=100) | st.binary(max_size=200) | anything.map(str)


@contextmanager
def neighbour(site, ticket):
    """A stream like any other, all the while; at its end every sample of it was heard once."""
    is_over = Event()
    pcm = noise(NEIGHBOUR_FRAMES)

    async def speak():
        async with live_socket(site, ticket, max_queue=None) as socket:  # read only at the end
            await socket.start()
            sent = 0
            while not is_over.is_set() and sent < len(pcm):
                await socket.say(pcm[sent : sent + FRAME_BYTES], pace=0.04)
                sent += FRAME_BYTES
            await socket.stop()
            assert socket.words() == words_of(pcm[:sent])

    with ThreadPoolExecutor(1) as pool:
        speaking = pool.submit(lambda: asyncio.run(speak()))
        try:
            yield
        finally:
            is_over.set()
        speaking.result()


async def converse(site, ticket, begins_well, said, leaves):
    """Returns how many messages were sent before the site had enough."""
    sent = 0
    with suppress(websockets.ConnectionClosed, TimeoutError):
        async with live_socket(site, ticket) as socket:
            if begins_well:
                await socket.start()
            for message in said:
                await socket.socket.send(message)
                sent += 1
            if leaves:
                socket.socket.transport.abort()
            else:
                await socket.send(type="stop")
                await socket.closed(within=2)
    return sent


def conversations(count: int) -> list[tuple[bool, list[str | bytes], bool]]:
    """Of each: whether it begins well, what is said, and whether its speaker leaves without a goodbye."""
    invented = []

    @settings(
        max_examples=count, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(st.booleans(), st.lists(sense, max_size=60), st.lists(nonsense, min_size=20, max_size=60), st.booleans())
    def invent(begins_well, first, then, leaves):
        invented.append((begins_well, first + then, leaves))

    invent()
    return invented


async def converse_at_once(site, spoken, unused):
    return sum(await asyncio.gather(*(converse(site, unused.pop(), *words) for words in spoken)))


def all_slots_are_free(site):
    site.web.process.send_signal(signal.SIGUSR1)
    time.sleep(0.5)
    free, slots = re.findall(r"(\d+) of (\d+) slots free", site.log)[-1]
    return free == slots


@pytest.mark.filterwarnings("ignore:Do not use the `random` module")  # the neighbour does, in its own thread
def test_nonsense_breaks_nothing_and_disturbs_nobody(start_site):
    site = start_site(STT_ENGINE="checksum", STT_SLOTS=str(2 * AT_ONCE), STREAMS_PER_USER="1000")
    theirs, *others = tickets(site, 2 * SOCKETS)
    invented = cycle(conversations(SOCKETS))  # the site may have had enough of many before they were over
    sent = 0
    with neighbour(site, theirs):
        while sent < MESSAGES:
            sent += asyncio.run(converse_at_once(site, list(islice(invented, AT_ONCE)), others))
    site.web.wait_until(lambda: all_slots_are_free(site), within=30)
    site.assert_no_bugs()
