"""An uploaded file becomes a session with every sample transcribed, whatever happens in between."""

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


def words_of_file(pcm):
    """Words of a file whose parts are transcribed in parallel."""

    async def audio():
        yield pcm

    async def words():
        return [word async for part in split(audio()) for word in words_of(part.pcm)]

    with ThreadPoolExecutor(1) as pool:  # tests may have a loop of their own
        return pool.submit(asyncio.run, words()).result()


def sessions(site):
    return int(site.shell("from speech.models import Session; print(Session.objects.count())"))


def test_every_sample_of_a_file_is_transcribed(site, sender):
    pcm = noise(2 * MINUTE, seed=1)
    upload = sender.wait(sender.send("board meeting.wav", wav_of(pcm)), "done")
    assert (upload["duration"], upload["transcribed"]) == (120, 120)
    assert stored_words(site, upload["session"]) == words_of_file(pcm)
    assert (
        site.shell("from speech.models import Session; print(Session.objects.latest('created_at'))") == "board meeting"
    )
    wait_until_nothing_is_left(site)


SPEAKERS = """
from speech.models import Session
from speech.library.transcript_view import transcript_segments
print([(u.speaker, round(u.start), u.text) for u in transcript_segments(Session.objects.get(title='call'))])
"""


def test_stereo_channels_are_transcribed_separately(site, sender):
    """The engine ends a segment every two seconds, five words each."""
    channels = [noise(50, seed=7), noise(50, seed=8)]
    stereo = np.stack([np.frombuffer(channel, "<i2") for channel in channels], axis=1).tobytes()
    sender.wait(sender.send("call.wav", wav_of(stereo, channels=2), multichannel=True), "done")
    (one, another), (first, second) = [words_of(channel) for channel in channels], ("Speaker 1", "Speaker 2")
    assert ast.literal_eval(site.shell(SPEAKERS)) == [
        (first, 0, " ".join(one[:5])),
        (second, 0, " ".join(another[:5])),
        (first, 2, " ".join(one[5:])),
        (second, 2, " ".join(another[5:])),
    ]


def test_multichannel_requires_stereo(sender):
    upload = sender.send("mono.wav", wav_of(noise(20)), multichannel=True)
    upload = sender.wait(upload, "failed")
    assert upload["problem"]["what"] == "The recording isn't stereo."


TIMES = """
from speech.models import Session
session = Session.objects.get(title='timely')
print([(word.index, round(word.start, 3)) for word in session.words.order_by('index')] ==
      [(i, round(0.4 * i, 3)) for i in range(session.words.count())],
      [segment.index for segment in session.segments.order_by('start')] == list(range(session.segments.count())),
      session.words.count(), session.ended_at is not None)
"""


def test_lost_parts_are_sent_again(sender):
    data = wav_of(noise(MINUTE, seed=2))
    recording = {"fingerprint": "a", "client": "page"}
    upload = sender.send("again.wav", data, until=700_000, **recording)
    for offset in (0, 600_000, 800_000):
        assert sender.send_part(upload, b"wrong", offset).status_code == 409
        assert sender.status(upload)["received"] == 700_000
    again = sender.create("again.wav", len(data), **recording).json()
    assert (again["id"], again["received"]) == (upload["id"], 700_000)
    upload = sender.wait(sender.send("again.wav", data, **recording), "done")
    assert upload["transcribed"] == 60


def test_recordings_with_the_same_name_and_size_are_not_mixed(site, sender):
    one, other = (noise(50, seed=seed) for seed in (31, 32))
    sender.send("meeting.wav", wav_of(one), until=60_000, fingerprint="one", client="page")
    uploads = [
        sender.send("meeting.wav", wav_of(pcm), fingerprint=fingerprint, client="page")
        for fingerprint, pcm in (("other", other), ("one", one))
    ]
    ids = [sender.wait(upload, "done")["session"] for upload in uploads]
    assert [stored_words(site, session) for session in ids] == [words_of(other), words_of(one)]


def test_parts_of_two_files_with_the_same_fingerprint_become_no_session(site, sender):
    before = sessions(site)
    one, other = (wav_of(noise(50, seed=seed)) for seed in (33, 34))
    sender.send("meeting.wav", one, until=60_000, fingerprint="same", client="page")
    upload = sender.wait(sender.send("meeting.wav", other, fingerprint="same", client="page"), "failed")
    assert upload["problem"]["what"] == "The file changed during its upload."
    assert sessions(site) == before
    wait_until_nothing_is_left(site)


def test_canceling_during_the_upload_leaves_nothing(site, sender):
    before = sessions(site)
    upload = sender.send("half.wav", wav_of(noise(MINUTE, seed=3)), until=1_000_000)
    assert len(left_on_disk(site)) == 1
    sender.cancel(upload)
    assert sender.send_part(upload, b"more", 1_000_000).status_code == 404
    wait_until_nothing_is_left(site)
    assert sessions(site) == before


def test_other_users_cannot_see_or_change_an_upload(site, sender):
    upload = sender.send("mine.wav", wav_of(noise(10)), until=100)
    eve = Sender(site, "eve@example.org")
    assert eve.http.get("").json()["results"] == []
    assert eve.http.get(f"{upload['id']}/").status_code == 404
    assert eve.http.put(f"{upload['id']}/content/").status_code == 404
    assert eve.http.post(f"{upload['id']}/accept/").status_code == 404
    assert eve.http.delete(f"{upload['id']}/").status_code == 404
    sender.cancel(upload)
