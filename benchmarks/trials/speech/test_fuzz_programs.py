"""What programs might send that makes little sense, to each kind of socket that there is for them; and to the page of
voices' own."""

import asyncio
import json
from contextlib import suppress
from itertools import cycle, islice

import msgpack
import pytest
import websockets
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.trials.speech.test_fuzz import all_slots_are_free, anything, neighbour
from tests.support.site import running_site
from tests.support.sockets import tickets
from tests.support.tokens import issue_token

SOCKETS = 150
AT_ONCE = 8
MESSAGES = 10_000

of_kyutai = ["Audio", "OggOpus", "Marker", "Init", "Text", "Voice", "Eos"]
of_deepgram = ["KeepAlive", "Finalize", "CloseStream"]
of_openai = ["session.update", *(f"input_audio_buffer.{verb}" for verb in ("append", "commit", "clear"))]
of_ours = ["start", "say", "finish", "taken", "flush", "stop", "ping"]
names = st.sampled_from([*of_kyutai, *of_deepgram, *of_openai, *of_ours])
fields = st.sampled_from(["pcm", "data", "id", "text", "audio", "session", "event_id", "voice", "at", "transcription"])
small = anything.filter(lambda value: not isinstance(value, int) or abs(value) < 2**63)
messages = st.builds(lambda name, more: {"type": name, **more}, names, st.dictionaries(fields, small, max_size=3))
sounds = st.builds(lambda size: {"type": "Audio", "pcm": [0.0] * size}, st.integers(0, 4000))
appended = st.builds(
    lambda audio: {"type": "input_audio_buffer.append", "audio": audio}, st.sampled_from(["AAAA", "A", "=", "é", ""])
)


def packed(message):
    with suppress(OverflowError, ValueError):
        return msgpack.packb(message)
    return b""


in_json = (messages | appended).map(json.dumps)
in_msgpack = (messages | sounds).map(packed)
torn = in_msgpack.flatmap(lambda data: st.integers(0, len(data)).map(lambda end: data[:end]))
raw = st.binary(max_size=300) | st.sampled_from([0, 1, 3839, 65_536]).map(bytes)
said = st.lists(in_json | in_msgpack | torn | raw | st.text(max_size=60), min_size=60, max_size=120)

DIALECTS = {
    "the simple one": "/ws/pcm?rate=16000",
    "the simple one in Opus": "/ws/pcm?format=opus",
    "Kyutai's that hears": "/api/asr-streaming",
    "Kyutai's that speaks": "/api/tts_streaming",
    "Deepgram's": "/v1/listen?encoding=linear16&sample_rate=16000&interim_results=true",
    "OpenAI's": "/v1/realtime?intent=transcription",
    "the voices page's": "/ws/voices/?ticket=",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    env = {"STT_ENGINE": "checksum", "TTS_ENGINE": "tones", "STT_SLOTS": "20", "TTS_SLOTS": "20"}
    unbound = {"PROGRAM_STREAMS_PER_USER": "1000", "STREAMS_PER_USER": "1000", "RATE_LIMITS": "off"}
    with running_site(tmp_path_factory.mktemp("site"), **env, **unbound) as site:
        yield site


@pytest.fixture(scope="module")
def token(site):
    return issue_token(site)


async def talk(url, headers, spoken):
    """Returns how many messages were sent before the site had enough. Every other one leaves without a goodbye."""
    sent = 0
    with suppress(websockets.ConnectionClosed, TimeoutError):
        async with websockets.connect(url, additional_headers=headers, max_queue=None, close_timeout=2) as socket:
            for message in spoken:
                await socket.send(message)
                sent += 1
            if len(spoken) % 2:
                socket.transport.abort()
    return sent


async def talk_at_once(conversations, headers):
    return sum(await asyncio.gather(*(talk(url, headers, messages) for url, messages in conversations)))


def addresses(site, path):
    url = f"{site.url.replace('http', 'ws')}{path}"
    while True:
        yield from (url + ticket for ticket in tickets(site, SOCKETS)) if path.endswith("ticket=") else [url]


def inventions(count):
    invented = []

    @settings(
        max_examples=count, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(said)
    def invent(messages):
        invented.append(messages)

    invent()
    return invented


@pytest.fixture(scope="module")
def invented():
    return inventions(SOCKETS)


@pytest.mark.filterwarnings("ignore:Do not use the `random` module")  # the neighbour does, in its own thread
@pytest.mark.parametrize("path", DIALECTS.values(), ids=DIALECTS.keys())
def test_nonsense_breaks_nothing_and_disturbs_nobody(path, site, token, invented):
    headers = {"Authorization": f"Bearer {token}", "Origin": site.url}
    # Again from the first, since the site may have had enough of many before they were over.
    conversations = zip(addresses(site, path), cycle(invented))
    sent = 0
    with neighbour(site, *tickets(site)):
        while sent < MESSAGES:
            sent += asyncio.run(talk_at_once(islice(conversations, AT_ONCE), headers))
    site.web.wait_until(lambda: all_slots_are_free(site), within=30)
    site.assert_no_bugs()
