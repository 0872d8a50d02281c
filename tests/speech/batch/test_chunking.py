"""A recording is cut where nobody speaks, and nothing of it is lost or doubled."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.messages import FRAME_BYTES, FRAME_SAMPLES
from speech.batch.chunking import MAX_FRAMES, MIN_FRAMES, split
from tests.support.speech.checksum_audio import noise

SOUND = noise(3_000)  # 4 minutes


async def sound(pcm, sizes):
    sizes = iter(sizes)
    while pcm:
        size = 2 * next(sizes, len(pcm))
        yield pcm[:size]
        pcm = pcm[size:]


async def parts_of(pcm, *sizes, start=0):
    return [part async for part in split(sound(pcm, sizes), start)]


def with_silence(frames, *silent):
    pcm = bytearray(SOUND[: frames * FRAME_BYTES])
    for first, end in silent:
        pcm[first * FRAME_BYTES : end * FRAME_BYTES] = bytes((end - first) * FRAME_BYTES)
    return bytes(pcm)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, len(SOUND) // 2), st.lists(st.integers(1, 500_000)))
async def test_the_parts_are_the_whole_however_it_comes_in(samples, sizes):
    pcm = SOUND[: 2 * samples]
    parts = await parts_of(pcm, *sizes)
    assert b"".join(part.pcm for part in parts) == pcm
    assert parts == await parts_of(pcm)
    assert [part.start for part in parts] == [0, *(part.end for part in parts[:-1])]


async def test_every_part_but_the_last_is_of_whole_frames_and_neither_short_nor_long():
    parts = await parts_of(SOUND[:-2])
    assert len(parts) > 2
    for part in parts[:-1]:
        frames, rest = divmod(len(part.pcm), FRAME_BYTES)
        assert rest == 0
        assert MIN_FRAMES <= frames <= MAX_FRAMES


async def test_both_sides_of_a_stereo_recording_are_cut_where_neither_speaks():
    left, right = with_silence(2_000, (705, 720)), with_silence(2_000, (700, 710))
    stereo = np.stack([np.frombuffer(side, "<i2") for side in (left, right)], axis=1).tobytes()
    parts = [part async for part in split(sound(stereo, [100_000, 3_000_000]), channels=2)]
    assert 705 <= parts[0].end / FRAME_SAMPLES <= 710
    assert b"".join(part.split_channels[0] for part in parts) == left
    assert b"".join(part.split_channels[1] for part in parts) == right
    mixed = np.frombuffer(parts[0].mixed, "<i2")
    assert len(mixed) == parts[0].end
    first = [int(np.frombuffer(side, "<i2")[0]) for side in (left, right)]
    assert mixed[0] == pytest.approx(sum(first) / 2, abs=1)


async def test_a_short_recording_is_one_part():
    pcm = SOUND[: MAX_FRAMES * FRAME_BYTES - 2]
    assert [part.pcm for part in await parts_of(pcm)] == [pcm]
    assert await parts_of(b"") == []


@pytest.mark.parametrize("pause", [(600, 606), (MIN_FRAMES, MIN_FRAMES + 5), (MAX_FRAMES - 5, MAX_FRAMES), (700, 900)])
async def test_it_is_cut_inside_a_pause(pause):
    _, second = await parts_of(with_silence(1_000, pause))
    assert pause[0] < second.start // FRAME_SAMPLES < pause[1]


async def test_a_soft_voice_is_no_pause():
    soft = (np.frombuffer(SOUND[: 1_000 * FRAME_BYTES], "<i2") // 8).astype("<i2").tobytes()
    pcm = (
        SOUND[: 650 * FRAME_BYTES]
        + soft[650 * FRAME_BYTES : 800 * FRAME_BYTES]
        + SOUND[800 * FRAME_BYTES : 1_000 * FRAME_BYTES]
    )
    silent = bytearray(pcm)
    silent[880 * FRAME_BYTES : 886 * FRAME_BYTES] = bytes(6 * FRAME_BYTES)
    _, second = await parts_of(bytes(silent))
    assert 880 < second.start // FRAME_SAMPLES < 886


async def test_one_that_goes_on_counts_from_where_it_was():
    parts = await parts_of(SOUND, start=4_800)
    assert parts[0].start == 4_800
    assert [part.pcm for part in parts] == [part.pcm for part in await parts_of(SOUND)]
