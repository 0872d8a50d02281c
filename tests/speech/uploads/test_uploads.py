"""A file that is sent becomes a session with every sample heard, whatever is in its way."""

import ast
import asyncio
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from inference.messages import FRAME_SAMPLES, SAMPLE_RATE
from speech.batch.chunking import split
from tests.support.clients.api import wav_of
from tests.support.clients.sockets import stored_words
from tests.support.clients.uploads import Sender, left_on_disk, wait_until_nothing_is_left
from tests.support.speech.checksum_audio import noise, words_of

MINUTE = 60 * SAMPLE_RATE // FRAME_SAMPLES  # frames


def session_of(told):
    return told["session"].strip("/").split("/")[-1]


def words_of_file(pcm):
    """Of parts that are heard beside each other."""

    async def sound():
        yield pcm

    async def words():
        return [word async for part in split(sound()) for word in words_of(part.pcm)]

    with ThreadPoolExecutor(1) as pool:  # tests may have a loop of their own
        return pool.submit(asyncio.run, words()).result()


def sessions(site):
    return int(site.shell("from speech.models import Session; print(Session.objects.count())"))


def test_every_sample_of_a_file_is_heard(site, sender):
    pcm = noise(2 * MINUTE, seed=1)
    told = sender.wait(sender.send("board meeting.wav", wav_of(pcm)), "done")
    assert (told["length"], told["transcribed"]) == (120, 120)
    assert stored_words(site, session_of(told)) == words_of_file(pcm)
    assert (
        site.shell("from speech.models import Session; print(Session.objects.latest('created_at'))") == "board meeting"
    )
    wait_until_nothing_is_left(site)


SPEAKERS = """
from speech.models import Session
from speech.library.transcript_view import transcript_segments
print([(u.speaker, round(u.start), u.text) for u in transcript_segments(Session.objects.get(title='call'))])
"""


def test_a_speaker_on_each_side_is_heard_apart(site, sender):
    """The engine ends an utterance every two seconds, five words each."""
    sides = [noise(50, seed=7), noise(50, seed=8)]
    stereo = np.stack([np.frombuffer(side, "<i2") for side in sides], axis=1).tobytes()
    sender.wait(sender.send("call.wav", wav_of(stereo, channels=2), sides=True), "done")
    (one, another), (first, second) = [words_of(side) for side in sides], ("Speaker 1", "Speaker 2")
    assert ast.literal_eval(site.shell(SPEAKERS)) == [
        (first, 0, " ".join(one[:5])),
        (second, 0, " ".join(another[:5])),
        (first, 2, " ".join(one[5:])),
        (second, 2, " ".join(another[5:])),
    ]


def test_a_speaker_on_each_side_needs_two_sides(sender):
    told = sender.send("mono.wav", wav_of(noise(20)), sides=True)
    told = sender.wait(told, "refused")
    assert told["problem"]["what"] == "The recording has no two sides."


TIMES = """
from speech.models import Session
session = Session.objects.get(title='timely')
print([(word.index, round(word.start, 3)) for word in session.words.order_by('index')] ==
      [(i, round(0.4 * i, 3)) for i in range(session.words.count())],
      [segment.index for segment in session.segments.order_by('start')] == list(range(session.segments.count())),
      session.words.count(), session.ended_at is not None)
"""


def test_what_was_lost_on_the_way_is_sent_again(sender):
    data = wav_of(noise(MINUTE, seed=2))
    told = sender.send("again.wav", data, until=700_000)
    for offset in (0, 600_000, 800_000):
        response = sender.piece(told, b"wrong", offset)
        assert (response.status_code, response.json()["received"]) == (409, 700_000)
    again = sender.announce("again.wav", len(data)).json()
    assert (again["id"], again["received"]) == (told["id"], 700_000)
    told = sender.wait(sender.send("again.wav", data), "done")
    assert told["transcribed"] == 60


def test_one_that_is_cancelled_while_it_is_sent_leaves_nothing(site, sender):
    before = sessions(site)
    told = sender.send("half.wav", wav_of(noise(MINUTE, seed=3)), until=1_000_000)
    assert len(left_on_disk(site)) == 1
    sender.cancel(told)
    assert sender.piece(told, b"more", 1_000_000).status_code == 404
    wait_until_nothing_is_left(site)
    assert sessions(site) == before


def test_others_neither_see_nor_touch_it(site, sender):
    told = sender.send("mine.wav", wav_of(noise(10)), until=100)
    eve = Sender(site, "eve@example.org")
    assert eve.http.get("").json() == {"uploads": []}
    for ask in (eve.http.get, eve.http.put, eve.http.post, eve.http.delete):
        assert ask(f"{told['id']}/").status_code == 404
    sender.cancel(told)
