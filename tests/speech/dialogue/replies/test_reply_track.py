import numpy as np

from speech.dialogue.replies import reply_track
from speech.dialogue.replies.reply_track import ReplyTrack


def pcm(*samples):
    return np.array(samples, "<i2").tobytes()


def samples(data):
    return np.frombuffer(data, "<i2").tolist()


def test_replies_are_added_where_they_were_played():
    track = ReplyTrack()
    track.add(2, pcm(10, 20, 30))
    track.add(7, pcm(1))
    assert samples(track.mix(0, pcm(1, 1, 1, 1, 1, 1, 1, 1, 1))) == [1, 1, 11, 21, 31, 1, 1, 2, 1]


def test_a_reply_continues_in_the_next_stretch():
    track = ReplyTrack()
    track.add(1, pcm(10, 20, 30))
    assert samples(track.mix(0, pcm(0, 0))) == [0, 10]
    assert samples(track.mix(2, pcm(0, 0, 0))) == [20, 30, 0]


def test_the_same_audio_can_be_mixed_again():
    track = ReplyTrack()
    track.add(0, pcm(10, 20))
    assert track.mix(0, pcm(0, 0)) == track.mix(0, pcm(0, 0))


def test_loud_audio_is_clipped():
    track = ReplyTrack()
    track.add(0, pcm(30_000, -30_000))
    assert samples(track.mix(0, pcm(30_000, -30_000))) == [32767, -32768]


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(reply_track, "MAX_HELD", 4)
    track = ReplyTrack()
    for start in (0, 2, 4):
        track.add(start, pcm(1, 1))
    assert samples(track.mix(0, pcm(*[0] * 6))) == [0, 0, 1, 1, 1, 1]
