"""Slow tests of uploads, also with killed processes; see tests/speech/uploads/test_uploads.py."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from inference.messages import FRAME_SAMPLES
from tests.speech.uploads.test_uploads import MINUTE, TIMES, sessions, words_of_file
from tests.support.clients.api import wav_of
from tests.support.clients.sockets import live_socket, stored_words, tickets
from tests.support.clients.uploads import Sender, wait_until_nothing_is_left
from tests.support.speech.checksum_audio import noise

pytestmark = pytest.mark.slow

DELETE_THE_SESSION = """
import time
from speech.models import Session, Upload
Upload.objects.filter(name='unwanted.wav').update(name='doomed.wav')
while not (started := Session.objects.filter(title='doomed', samples__gt=0)):
    time.sleep(0.05)
started.delete()
"""


def test_deleting_the_session_discards_the_upload(site, sender):
    data = wav_of(noise(20 * MINUTE, seed=5))
    upload = sender.send("unwanted.wav", data, until=len(data) - 1)
    with ThreadPoolExecutor(1) as pool:
        deleting = pool.submit(site.shell, DELETE_THE_SESSION)
        sender.wait_until(upload, lambda status: status["name"] == "doomed.wav")
        sender.send_part(upload, data[-1:], len(data) - 1).raise_for_status()
        deleting.result()
    sender.wait_until_gone(upload)
    wait_until_nothing_is_left(site)


async def test_an_upload_yields_its_slot_to_a_live_stream_and_continues_after(start_site):
    site = start_site(STT_ENGINE="checksum", STT_SLOTS="2")
    sender, pcm = Sender(site), noise(4 * MINUTE, seed=6)
    (ticket,) = tickets(site)
    upload = sender.wait(sender.send("patient.wav", wav_of(pcm)), "transcribing")
    async with live_socket(site, ticket) as socket:
        await socket.start()
        upload = sender.wait(upload, "waiting", "transcribing")
        assert "is wanted" in site.log or sender.status(upload)["state"] != "done"
        await socket.send_audio(noise(10))
        await socket.stop()
    upload = sender.wait(upload, "done")
    assert stored_words(site, upload["session"]) == words_of_file(pcm)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_an_upload_continues_after_a_restart(start_site, end):
    site = start_site(STT_ENGINE="checksum", STT_SLOTS="2")
    sender, pcm = Sender(site), noise(4 * MINUTE, seed=7)
    upload = sender.wait(sender.send("enduring.wav", wav_of(pcm)), "transcribing")
    getattr(site.web, end)()
    site.web.start()
    site.wait_until_ready()
    upload = sender.wait(upload, "done")
    assert stored_words(site, upload["session"]) == words_of_file(pcm)


def test_an_upload_continues_after_engine_and_database_outages(start_site, redis_server, postgres_server):
    env = {"STT_ENGINE": "checksum", "STT_SLOTS": "3", "REDIS_URL": redis_server.url}
    site = start_site(1, **env, DATABASE_URL=postgres_server.new_database())
    sender, pcm = Sender(site), noise(10 * MINUTE, seed=10)
    upload = sender.wait(sender.send("enduring.wav", wav_of(pcm)), "transcribing")
    site.inference[0].kill()
    site.inference[0].start()
    upload = sender.wait_until(upload, lambda status: status["session"] is not None)
    postgres_server.crash()
    postgres_server.start()
    upload = sender.wait(upload, "done")
    assert stored_words(site, upload["session"]) == words_of_file(pcm)


def test_canceling_during_transcription_leaves_nothing(site, sender):
    before = sessions(site)
    upload = sender.send("half.wav", wav_of(noise(5 * MINUTE, seed=4)))
    sender.cancel(sender.wait(upload, "transcribing"))
    wait_until_nothing_is_left(site)
    assert sessions(site) == before
    assert site.shell("from speech.models import Upload; print(Upload.objects.filter(name='half.wav').count())") == "0"


def test_chunks_are_joined_with_correct_times(site, sender):
    """Silence at 60 s, where a word of the engine ends, is where the file is split."""
    pcm = bytearray(noise(2 * MINUTE, seed=8))
    pcm[2 * 748 * FRAME_SAMPLES : 2 * 753 * FRAME_SAMPLES] = bytes(2 * 5 * FRAME_SAMPLES)
    sender.wait(sender.send("timely.wav", wav_of(bytes(pcm))), "done")
    assert site.shell(TIMES) == "True True 300 True"


def test_bytes_beyond_the_announced_size_are_ignored(sender):
    data = wav_of(noise(10))
    upload = sender.create("more.wav", len(data)).json()
    assert sender.send_part(upload, data + b"more", 0).json()["received"] == len(data)
    sender.wait(upload, "done")
