"""The recording equals the audio that was sent, even if processes die meanwhile."""

import pytest
import soundfile

from tests.support.clients.sockets import live_socket, tickets
from tests.support.speech.checksum_audio import noise

pytestmark = pytest.mark.slow

RECORDED = """
import sys, time
from pathlib import Path
from speech.models import Session
from speech.library.recording import Recording
recording = Recording({session!r})
for _ in range(100):
    if recording.flac and Session.objects.get(pk={session!r}).audio_bytes: break
    time.sleep(0.1)
print(recording.flac)
"""


@pytest.fixture
def site(start_site):
    return start_site(STT_ENGINE="checksum")


def recorded(site, session):
    pcm, rate = soundfile.read(site.shell(RECORDED.format(session=session)), dtype="int16")
    assert rate == 24_000
    return pcm.tobytes()


async def test_every_sample_is_recorded_once_across_a_kill_and_a_reconnect(site):
    pcm = noise(110)
    one, two = tickets(site, 2)
    async with live_socket(site, one) as socket:
        ready = await socket.start(audio=True)
        assert ready["audio"]
        await socket.send_audio(pcm[: 3840 * 67])
        await socket.until("ack")
        site.web.kill()
    site.web.start()
    site.wait_until_ready()
    async with live_socket(site, two) as again:
        resumed = await again.start(session=ready["session"])
        assert resumed["audio"]
        await again.send_audio(pcm[2 * resumed["position"] :])
        await again.stop()
    assert resumed["position"] > 0
    assert recorded(site, ready["session"]) == pcm


async def test_audio_is_recorded_to_the_end_if_the_client_disconnects_in_mid_sentence(site):
    pcm = noise(53)
    async with live_socket(site, *tickets(site)) as socket:
        ready = await socket.start(audio=True)
        await socket.send_audio(pcm)
        await socket.until("ack")
        socket.socket.transport.abort()
    assert recorded(site, ready["session"]) == pcm


async def test_audio_is_recorded_only_if_the_client_requests_it_and_the_site_allows_it(site, start_site):
    without_audio = start_site(STT_ENGINE="checksum", RECORD_AUDIO="off")
    for where, options in [(site, {}), (without_audio, {"audio": True})]:
        async with live_socket(where, *tickets(where)) as socket:
            assert not (await socket.start(**options))["audio"]
            await socket.send_audio(noise(30))
            done = await socket.stop()
        assert where.shell(RECORDED.format(session=done["session"]).replace("range(100)", "range(1)")) == "None"
