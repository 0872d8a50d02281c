"""Audio that a live stream holds, and what of it an engine is sent."""

import pytest

from inference.messages import BYTES_PER_SAMPLE, FRAME_BYTES, FRAME_SAMPLES, Audio, Marker
from speech.errors import TooFast
from speech.live.audio_buffer import END, FLUSH, MAX_AHEAD, MAX_FLUSHES, AudioBuffer
from tests.support.speech.checksum_audio import noise

POSITION = 7 * FRAME_SAMPLES + 100
"""A session that goes on within a frame of its time."""


class Slot:
    """A connection that keeps what was sent."""

    def __init__(self) -> None:
        self.sent: list[Audio | Marker] = []
        self.is_open = True

    def send(self, message) -> None:
        assert self.is_open
        self.sent.append(message)

    def close(self) -> None:
        self.is_open = False

    @property
    def pcm(self) -> bytes:
        return b"".join(message.pcm for message in self.sent if isinstance(message, Audio))

    @property
    def markers(self) -> list[int]:
        return [message.id for message in self.sent if isinstance(message, Marker)]


def with_slot(pcm: bytes = b"", position: int = POSITION) -> tuple[AudioBuffer, Slot]:
    audio, slot = AudioBuffer(position), Slot()
    audio.attach(slot, position)
    audio.append(pcm)
    return audio, slot


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


# --- Samples ------------------------------------------------------------------------------------------------------


def test_samples_have_the_positions_of_the_session():
    pcm = noise(2)
    audio = AudioBuffer(POSITION)
    assert (audio.start, audio.end) == (POSITION, POSITION)
    audio.append(pcm)
    assert (audio.start, audio.end) == (POSITION, POSITION + 2 * FRAME_SAMPLES)
    assert audio.read(POSITION + 10, POSITION + 20) == pcm[10 * BYTES_PER_SAMPLE : 20 * BYTES_PER_SAMPLE]


def test_samples_that_are_not_held_are_not_read():
    audio = AudioBuffer(POSITION)
    audio.append(pcm := noise(1))
    assert audio.read(0, POSITION + 5) == pcm[: 5 * BYTES_PER_SAMPLE]
    assert audio.read(audio.end, audio.end + 5) == b""


def test_discarded_samples_leave_the_others_where_they_are():
    audio = AudioBuffer(POSITION)
    audio.append(pcm := noise(2))
    end = audio.end
    audio.discard_before(POSITION + 30)
    assert (audio.start, audio.end) == (POSITION + 30, end)
    assert audio.read(0, end) == pcm[30 * BYTES_PER_SAMPLE :]
    audio.discard_before(POSITION)  # an earlier position discards nothing
    assert audio.start == POSITION + 30


def test_no_more_is_discarded_than_is_held():
    audio = AudioBuffer(POSITION)
    audio.append(noise(1))
    end = audio.end
    audio.discard_before(end + 500)  # an engine counts the silence that fills its last frame
    assert (audio.start, audio.end) == (end, end)


# --- What a slot is sent --------------------------------------------------------------------------------------------


def test_a_slot_gets_audio_as_it_comes_in_whole_frames_from_its_start():
    pcm = noise(3)
    audio, slot = with_slot(pcm[: FRAME_BYTES + 10])
    assert slot.pcm == pcm[:FRAME_BYTES]
    audio.append(pcm[FRAME_BYTES + 10 :])
    assert slot.pcm == pcm
    assert slot.markers == []


def test_nothing_is_sent_without_a_slot_and_a_later_one_gets_all():
    audio = AudioBuffer(POSITION)
    audio.append(pcm := noise(2))
    audio.attach(slot := Slot(), POSITION)
    assert audio.processed == POSITION
    audio.send()
    assert slot.pcm == pcm


def test_nothing_is_sent_when_there_is_nothing_new():
    audio, slot = with_slot(noise(1))
    count = len(slot.sent)
    audio.send()
    assert len(slot.sent) == count


def test_an_engine_gets_no_more_than_four_seconds_ahead_of_what_it_has_processed():
    frames = MAX_AHEAD // FRAME_SAMPLES + 5
    audio, slot = with_slot(pcm := noise(frames))
    assert len(slot.pcm) == MAX_AHEAD * BYTES_PER_SAMPLE
    assert MAX_AHEAD / 24_000 == 4
    audio.on_processed(POSITION + 2 * FRAME_SAMPLES)
    audio.send()
    assert len(slot.pcm) == (MAX_AHEAD + 2 * FRAME_SAMPLES) * BYTES_PER_SAMPLE
    audio.on_processed(POSITION + 5 * FRAME_SAMPLES)
    audio.send()
    assert slot.pcm == pcm


def test_the_end_is_sent_too_and_what_comes_after_it_is_for_another_slot():
    pcm = noise(2)
    end = POSITION + FRAME_SAMPLES + 50
    audio, slot = with_slot(pcm[: (end - POSITION) * BYTES_PER_SAMPLE])
    audio.is_complete = True
    audio.send()
    assert slot.pcm == pcm[: (end - POSITION) * BYTES_PER_SAMPLE]
    assert slot.sent[-1] == Marker(END)
    assert (audio.is_ended, audio.ended_at) == (True, end)
    audio.append(pcm[(end - POSITION) * BYTES_PER_SAMPLE :])
    assert slot.sent[-1] == Marker(END)
    audio.release_slot()
    audio.attach(later := Slot(), end)
    assert not audio.is_ended
    audio.send()
    assert later.pcm == pcm[(end - POSITION) * BYTES_PER_SAMPLE :]


def test_the_end_waits_for_the_audio_before_it():
    audio, slot = with_slot(noise(MAX_AHEAD // FRAME_SAMPLES + 1))
    audio.is_complete = True
    audio.send()
    assert not audio.is_ended
    assert slot.markers == []
    audio.on_processed(POSITION + FRAME_SAMPLES)
    audio.send()
    assert slot.markers == [END]


def test_a_slot_that_was_lost_is_not_used_any_more_and_one_that_is_released_is_closed():
    audio, slot = with_slot()
    assert audio.has_slot
    audio.lose_slot()
    assert not audio.has_slot
    assert slot.is_open
    audio.release_slot()  # there is none
    audio.attach(slot, POSITION)
    audio.release_slot()
    assert not audio.has_slot
    assert not slot.is_open
    audio.append(noise(1))
    assert slot.pcm == b""


def test_another_slot_gets_the_audio_again_from_where_the_words_are_final():
    audio, _ = with_slot(pcm := noise(4))
    audio.on_processed(audio.end)
    audio.lose_slot()
    audio.attach(slot := Slot(), POSITION + FRAME_SAMPLES)
    audio.send()
    assert slot.pcm == pcm[FRAME_BYTES:]


# --- Flushes --------------------------------------------------------------------------------------------------------


def test_a_flush_marks_the_last_whole_frame_before_it():
    audio, slot = with_slot(pcm := noise(3)[: 2 * FRAME_BYTES + 10])
    audio.flush(5)
    assert audio.pending_flushes == 1
    assert slot.pcm == pcm[: 2 * FRAME_BYTES]
    assert slot.sent[-1] == Marker(FLUSH)
    assert audio.complete_flush() == (POSITION + 2 * FRAME_SAMPLES, 5)
    assert audio.pending_flushes == 0


def test_each_flush_is_marked_once_between_the_audio_before_and_after_it():
    audio, slot = with_slot(pcm := noise(1))
    audio.flush(1)
    audio.append(pcm)
    audio.flush(2)
    audio.append(pcm)
    sent = [Audio(pcm), Marker(FLUSH), Audio(pcm), Marker(FLUSH), Audio(pcm)]
    assert slot.sent == sent
    assert audio.complete_flush() == (POSITION + FRAME_SAMPLES, 1)
    audio.flush(3)
    assert slot.sent == [*sent, Marker(FLUSH)]
    assert audio.complete_flush() == (POSITION + 2 * FRAME_SAMPLES, 2)
    assert audio.complete_flush() == (POSITION + 3 * FRAME_SAMPLES, 3)


def test_a_flush_waits_for_the_audio_before_it():
    audio, slot = with_slot(noise(MAX_AHEAD // FRAME_SAMPLES + 1))
    audio.flush(1)
    assert slot.markers == []
    audio.on_processed(POSITION + FRAME_SAMPLES)
    audio.send()
    assert slot.markers == [FLUSH]


def test_another_slot_is_sent_the_flushes_that_were_not_reached_again():
    audio, _ = with_slot(noise(1))
    audio.flush(1)
    audio.flush(2)
    audio.complete_flush()
    audio.lose_slot()
    audio.attach(slot := Slot(), POSITION + FRAME_SAMPLES)
    audio.send()
    assert slot.markers == [FLUSH]
    assert audio.complete_flush() == (POSITION + FRAME_SAMPLES, 2)


def test_a_client_cannot_request_flushes_without_end():
    audio, _ = with_slot()
    for id in range(MAX_FLUSHES):
        audio.flush(id)
    with pytest.raises(TooFast):
        audio.flush(MAX_FLUSHES)
    audio.complete_flush()
    audio.flush(MAX_FLUSHES)


# --- Activity -------------------------------------------------------------------------------------------------------


def test_a_new_buffer_is_idle_from_its_beginning(clock):
    clock[0] = 50.0
    audio = AudioBuffer(POSITION)
    clock[0] = 53.0
    assert audio.idle_for == 3


def test_everything_that_comes_or_is_processed_is_activity(clock):
    audio, _ = with_slot()
    clock[0] = 10.0
    audio.append(noise(1))
    audio.on_processed(audio.end)
    clock[0] = 12.0
    assert audio.idle_for == 2
    audio.append(b"\0\0")  # less than a frame: the engine does not get it, so the stream may rest
    assert audio.idle_for == 0
    clock[0] = 15.0
    assert audio.idle_for == 3
    audio.keep_slot()
    assert audio.idle_for == 0
    clock[0] = 20.0
    audio.flush(1)
    audio.complete_flush()
    assert audio.idle_for == 0
    clock[0] = 21.0
    audio.on_processed(POSITION + FRAME_SAMPLES)
    assert audio.idle_for == 0


def test_a_frame_that_is_not_processed_is_no_rest(clock):
    audio, _ = with_slot(noise(1))
    clock[0] = 9.0
    assert audio.idle_for == 0


def test_only_a_slot_in_use_is_kept():
    audio = AudioBuffer(POSITION)
    audio.keep_slot()
    audio, slot = with_slot()
    audio.keep_slot()
    assert slot.sent == [Audio(b"")]
    audio.is_complete = True
    audio.send()
    audio.keep_slot()
    assert slot.sent == [Audio(b""), Marker(END)]
