"""What takes its time, or real processes that die, of tests/speech/uploads/test_uploads.py."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from inference.messages import FRAME_SAMPLES
from tests.speech.uploads.test_uploads import MINUTE, TIMES, session_of, sessions, words_of_file
from tests.support.clients.api import wav_of
from tests.support.clients.sockets import live_socket, stored_words, tickets
from tests.support.clients.uploads import Sender, wait_until_nothing_is_left
from tests.support.speech.checksum_audio import noise

pytestmark = pytest.mark.slow

DELETE_WHAT_IT_BECOMES = """
import time
from speech.models import Session, Upload
Upload.objects.filter(name='unwanted.wav').update(name='doomed.wav')
while not (begun := Session.objects.filter(title='doomed', samples__gt=0)):
    time.sleep(0.05)
begun.delete()
"""


def test_whoever_deletes_its_session_wants_no_more_of_it(site, sender):
    data = wav_of(noise(20 * MINUTE, seed=5))
    told = sender.send("unwanted.wav", data, until=len(data) - 1)
    with ThreadPoolExecutor(1) as pool:
        deleting = pool.submit(site.shell, DELETE_WHAT_IT_BECOMES)
        sender.wait_until(told, lambda it: it["name"] == "doomed.wav")
        sender.piece(told, data[-1:], len(data) - 1).raise_for_status()
        deleting.result()
    sender.wait_until_gone(told)
    wait_until_nothing_is_left(site)


async def test_it_gives_its_slot_to_who_speaks_and_goes_on_after(start_site):
    site = start_site(STT_ENGINE="checksum", STT_SLOTS="2")
    sender, pcm = Sender(site), noise(4 * MINUTE, seed=6)
    (ticket,) = tickets(site)
    told = sender.wait(sender.send("patient.wav", wav_of(pcm)), "transcribing")
    async with live_socket(site, ticket) as socket:
        await socket.start()
        told = sender.wait(told, "waiting", "transcribing")
        assert "is wanted" in site.log or sender.look(told)["state"] != "done"
        await socket.say(noise(10))
        await socket.stop()
    told = sender.wait(told, "done")
    assert stored_words(site, session_of(told)) == words_of_file(pcm)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_it_goes_on_after_a_restart(start_site, end):
    site = start_site(STT_ENGINE="checksum", STT_SLOTS="2")
    sender, pcm = Sender(site), noise(4 * MINUTE, seed=7)
    told = sender.wait(sender.send("enduring.wav", wav_of(pcm)), "transcribing")
    getattr(site.web, end)()
    site.web.start()
    site.wait_until_ready()
    told = sender.wait(told, "done")
    assert stored_words(site, session_of(told)) == words_of_file(pcm)


def test_it_goes_on_when_its_engine_and_the_database_were_away(start_site, redis_server, postgres_server):
    env = {"STT_ENGINE": "checksum", "STT_SLOTS": "3", "REDIS_URL": redis_server.url}
    site = start_site(1, **env, DATABASE_URL=postgres_server.new_database())
    sender, pcm = Sender(site), noise(10 * MINUTE, seed=10)
    told = sender.wait(sender.send("enduring.wav", wav_of(pcm)), "transcribing")
    site.inference[0].kill()
    site.inference[0].start()
    told = sender.wait_until(told, lambda it: it["session"] is not None)
    postgres_server.crash()
    postgres_server.start()
    told = sender.wait(told, "done")
    assert stored_words(site, session_of(told)) == words_of_file(pcm)


def test_one_that_is_cancelled_while_it_is_heard_leaves_nothing(site, sender):
    before = sessions(site)
    told = sender.send("half.wav", wav_of(noise(5 * MINUTE, seed=4)))
    sender.cancel(sender.wait(told, "transcribing"))
    wait_until_nothing_is_left(site)
    assert sessions(site) == before
    assert site.shell("from speech.models import Upload; print(Upload.objects.filter(name='half.wav').count())") == "0"


def test_parts_are_put_together_with_the_times_of_the_whole(site, sender):
    """Silence at 60 s, where a word of the engine ends: it is cut just there."""
    pcm = bytearray(noise(2 * MINUTE, seed=8))
    pcm[2 * 748 * FRAME_SAMPLES : 2 * 753 * FRAME_SAMPLES] = bytes(2 * 5 * FRAME_SAMPLES)
    sender.wait(sender.send("timely.wav", wav_of(bytes(pcm))), "done")
    assert site.shell(TIMES) == "True True 300 True"


def test_nothing_is_taken_beyond_what_was_announced(sender):
    data = wav_of(noise(10))
    told = sender.announce("more.wav", len(data)).json()
    assert sender.piece(told, data + b"more", 0).json()["received"] == len(data)
    sender.wait(told, "done")
