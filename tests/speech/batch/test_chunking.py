"""A recording is split where no one speaks, and no sample is lost or duplicated."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.messages import FRAME_BYTES, FRAME_SAMPLES
from speech.batch.chunking import MAX_FRAMES, MIN_FRAMES, split
from tests.support.speech.checksum_audio import noise

RECORDING = noise(3_000)  # 4 minutes


async def stream(pcm, sizes):
    sizes = iter(sizes)
    while pcm:
        size = 2 * next(sizes, len(pcm))
        yield pcm[:size]
        pcm = pcm[size:]


async def chunks_of(pcm, *sizes, start=0):
    return [chunk async for chunk in split(stream(pcm, sizes), start)]


def with_silence(frames, *silent):
    pcm = bytearray(RECORDING[: frames * FRAME_BYTES])
    for first, end in silent:
        pcm[first * FRAME_BYTES : end * FRAME_BYTES] = bytes((end - first) * FRAME_BYTES)
    return bytes(pcm)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, len(RECORDING) // 2), st.lists(st.integers(1, 500_000)))
async def test_chunks_have_all_samples_and_do_not_depend_on_the_input_sizes(samples, sizes):
    pcm = RECORDING[: 2 * samples]
    chunks = await chunks_of(pcm, *sizes)
    assert b"".join(chunk.pcm for chunk in chunks) == pcm
    assert chunks == await chunks_of(pcm)
    assert [chunk.start for chunk in chunks] == [0, *(chunk.end for chunk in chunks[:-1])]


async def test_every_chunk_but_the_last_has_whole_frames_within_the_limits():
    chunks = await chunks_of(RECORDING[:-2])
    assert len(chunks) > 2
    for chunk in chunks[:-1]:
        frames, rest = divmod(len(chunk.pcm), FRAME_BYTES)
        assert rest == 0
        assert MIN_FRAMES <= frames <= MAX_FRAMES


async def test_a_stereo_recording_is_split_where_both_channels_are_silent():
    left, right = with_silence(2_000, (705, 720)), with_silence(2_000, (700, 710))
    stereo = np.stack([np.frombuffer(channel, "<i2") for channel in (left, right)], axis=1).tobytes()
    chunks = [chunk async for chunk in split(stream(stereo, [100_000, 3_000_000]), channels=2)]
    assert 705 <= chunks[0].end / FRAME_SAMPLES <= 710
    assert b"".join(chunk.split_channels[0] for chunk in chunks) == left
    assert b"".join(chunk.split_channels[1] for chunk in chunks) == right
    mixed = np.frombuffer(chunks[0].mixed, "<i2")
    assert len(mixed) == chunks[0].end
    first = [int(np.frombuffer(channel, "<i2")[0]) for channel in (left, right)]
    assert mixed[0] == pytest.approx(sum(first) / 2, abs=1)


async def test_a_short_recording_is_one_chunk():
    pcm = RECORDING[: MAX_FRAMES * FRAME_BYTES - 2]
    assert [chunk.pcm for chunk in await chunks_of(pcm)] == [pcm]
    assert await chunks_of(b"") == []


@pytest.mark.parametrize("pause", [(600, 606), (MIN_FRAMES, MIN_FRAMES + 5), (MAX_FRAMES - 5, MAX_FRAMES), (700, 900)])
async def test_a_recording_is_split_inside_a_pause(pause):
    _, second = await chunks_of(with_silence(1_000, pause))
    assert pause[0] < second.start // FRAME_SAMPLES < pause[1]


async def test_quiet_speech_is_not_a_pause():
    quiet = (np.frombuffer(RECORDING[: 1_000 * FRAME_BYTES], "<i2") // 8).astype("<i2").tobytes()
    pcm = (
        RECORDING[: 650 * FRAME_BYTES]
        + quiet[650 * FRAME_BYTES : 800 * FRAME_BYTES]
        + RECORDING[800 * FRAME_BYTES : 1_000 * FRAME_BYTES]
    )
    silent = bytearray(pcm)
    silent[880 * FRAME_BYTES : 886 * FRAME_BYTES] = bytes(6 * FRAME_BYTES)
    _, second = await chunks_of(bytes(silent))
    assert 880 < second.start // FRAME_SAMPLES < 886


async def test_positions_of_a_resumed_recording_count_from_its_start():
    chunks = await chunks_of(RECORDING, start=4_800)
    assert chunks[0].start == 4_800
    assert [chunk.pcm for chunk in chunks] == [chunk.pcm for chunk in await chunks_of(RECORDING)]
