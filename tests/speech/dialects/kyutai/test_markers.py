"""When a marker comes back, and that it changes no word. As in moshi-server it only marks, unless nothing follows."""

import asyncio

import pytest

from speech.dialects.kyutai import markers
from speech.dialects.kyutai.markers import MAX_MARKERS, PAUSE, Marker, Markers
from speech.errors import TooFast
from tests.support.clients.kyutai import asr_streaming
from tests.support.speech.checksum_audio import noise, words_of


class Stream:
    """A stream whose flushes are counted."""

    def __init__(self) -> None:
        self.flushes = 0
        self.without_audio = PAUSE
        self.markers = Markers(self._flush, lambda: self.without_audio)

    def _flush(self) -> None:
        self.flushes += 1

    async def wait(self) -> None:
        """Wait until the markers were looked at a few times."""
        task = asyncio.create_task(self.markers.flush_at_pauses())
        for _ in range(20):
            await asyncio.sleep(0)
        task.cancel()


@pytest.fixture
def stream(monkeypatch) -> Stream:
    monkeypatch.setattr(markers, "POLL_INTERVAL", 0)
    return Stream()


def test_a_marker_comes_back_once_the_words_before_it_were_sent(stream):
    for id, position in enumerate((1920, 3840, 3840, 5760)):
        stream.markers.add(Marker(position, id))
    assert stream.markers.take_before(1919) == []
    assert stream.markers.take_before(3840) == [0, 1, 2]
    assert stream.markers.take_before(9600) == [3]
    assert stream.markers.take_before(9600) == []


async def test_nothing_is_flushed_while_audio_follows(stream):
    stream.markers.add(Marker(1920, 1))
    stream.without_audio = PAUSE - 0.1
    await stream.wait()
    assert stream.flushes == 0


async def test_nothing_is_flushed_without_a_marker(stream):
    await stream.wait()
    assert stream.flushes == 0


async def test_the_stream_is_flushed_once_for_all_markers_if_nothing_follows(stream):
    for position in (1920, 3840):
        stream.markers.add(Marker(position, position))
    await stream.wait()
    stream.markers.add(Marker(5760, 5760))  # after more audio
    assert stream.flushes == 1
    assert stream.markers.take_flushed() == [1920, 3840]
    await stream.wait()
    assert stream.flushes == 2
    assert stream.markers.take_flushed() == [5760]


def test_the_number_of_pending_markers_is_limited(stream):
    for id in range(MAX_MARKERS):
        stream.markers.add(Marker(1920, id))
    with pytest.raises(TooFast):
        stream.markers.add(Marker(1920, 0))


# --- Through a site ---------------------------------------------------------------------------------------------------


async def test_a_marker_per_frame_changes_no_word(site, token):
    pcm, ids = noise(60), []
    async with asr_streaming(site, token) as socket:
        await socket.until("Ready")
        for number in range(60):
            await socket.send_audio(pcm[3840 * number : 3840 * number + 3840])
            await socket.send(type="Marker", id=number)
        while len(ids) < 60:
            ids.append((await socket.until("Marker"))["id"])
    assert ids == list(range(60))
    assert socket.all("Word", "text") == words_of(pcm)
    kinds = [message["type"] for message in socket.received]
    assert kinds.index("Marker") > kinds.index("EndWord")  # the word in which it lies comes first


async def test_a_marker_in_the_last_word_comes_back_although_nothing_follows(site, token):
    pcm = noise(7)
    async with asr_streaming(site, token) as socket:
        await socket.send_audio(pcm)
        await socket.send(type="Marker", id=-1)
        assert (await socket.until("Marker"))["id"] == -1
    assert socket.all("Word", "text") == words_of(pcm)
