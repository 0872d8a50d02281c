"""The protocol of WhisperLive."""

from itertools import pairwise

import numpy as np
import pytest

from speech.dialects.self_hosted.whisper_live import WhisperLiveSocket
from speech.errors import AtCapacity, Restarting
from tests.speech.dialects.self_hosted.conftest import words_at_16_khz

SECONDS = 5
SAMPLES = np.random.default_rng(3).uniform(-0.9, 0.9, SECONDS * 16_000)
ENCODED = {
    "float32": SAMPLES.astype("<f4").tobytes(),
    "int16": (SAMPLES * 32767).astype("<i2").tobytes(),
    "uint8": (SAMPLES * 127 + 128).astype(np.uint8).tobytes(),
}
OURS = {"float32": "f32le", "int16": "s16le", "uint8": "u8"}
OPTIONS = {"uid": "one", "language": "en", "task": "transcribe", "model": "small", "use_vad": True}


async def listen(connect, data=ENCODED["float32"], **options):
    """Everything that a client receives that sends a whole recording."""
    async with connect("whisper-live") as client:
        await client.send({**OPTIONS, **options})
        for start in range(0, len(data), 4096):
            await client.send(data[start : start + 4096])
        await client.send(b"END_OF_AUDIO")
        received = await client.until_closed()
        assert client.socket.close_code == 1000
    assert {message["uid"] for message in received} == {"one"}
    return received


def finished(messages):
    """Finished segments, by their start."""
    return {
        segment["start"]: segment
        for message in messages
        for segment in message.get("segments", ())
        if segment["completed"]
    }


@pytest.mark.parametrize("format", ENCODED)
async def test_segments_have_every_word_once(connect, format):
    data = ENCODED[format]
    received = await listen(connect, data, audio_format=format)
    assert received[0] == {"uid": "one", "message": "SERVER_READY", "backend": "faster_whisper"}
    segments = [*finished(received).values()]
    assert " ".join(segment["text"] for segment in segments).split() == words_at_16_khz(data, OURS[format])
    assert (segments[0]["start"], segments[0]["end"]) == ("0.000", "2.000")
    assert all(float(one["end"]) <= float(other["start"]) for one, other in pairwise(segments))
    assert not any("words" in segment for segment in segments)


async def test_a_segment_has_its_whole_text_before_it_is_finished(connect):
    """The client writes the last unfinished one to its subtitles if its text is not that of the last finished one."""
    received = [message["segments"] for message in await listen(connect) if "segments" in message]
    unfinished = {segment["text"] for segments in received for segment in segments if not segment["completed"]}
    assert {segment["text"] for segment in received[-1]} <= unfinished
    assert all(segment["completed"] for segment in received[-1])


async def test_only_the_last_segments_are_sent_if_requested(connect):
    received = await listen(connect, send_last_n_segments=1)
    assert max(len(message.get("segments", ())) for message in received) == 2  # and one that grows
    assert len(finished(received)) == 3


async def test_words_have_times_and_probabilities_if_requested(connect):
    first = next(iter(finished(await listen(connect, word_timestamps=True)).values()))
    assert [word["word"] for word in first["words"]] == [f" {word}" for word in first["text"].split()]
    assert {**first["words"][1], "word": ""} == {"word": "", "start": "0.400", "end": "0.800", "probability": 1.0}


async def test_the_language_is_sent_to_a_client_that_names_none(connect):
    language = {"uid": "one", "language": "en", "language_prob": 1.0}
    assert language in await listen(connect, language=None)
    assert language not in await listen(connect)


async def test_an_engine_that_can_translates(connect):
    segments = finished(await listen(connect, task="translate", language=None)).values()
    words = " ".join(segment["text"] for segment in segments).split()
    assert words == [f"english-{word}" for word in words_at_16_khz(ENCODED["float32"], "f32le")]


async def test_speakers_are_refused_with_a_warning(connect):
    received = await listen(connect, enable_diarization=True)
    assert (received[0]["status"], "speakers" in received[0]["message"]) == ("WARNING", True)
    assert finished(received)


@pytest.mark.parametrize(
    ("options", "uid", "text"),
    [
        ({"enable_translation": True}, "one", "“enable_translation” isn't supported."),
        ({"language": "xx"}, "one", "No engine supports the language “xx”."),
        ({"audio_format": "int24"}, "", "Invalid options."),
        ({"uid": 1}, "", "Invalid options."),
    ],
)
async def test_what_is_not_supported_is_an_error_before_the_stream_starts(connect, options, uid, text):
    async with connect("whisper-live") as client:
        error = await client.ask(OPTIONS | options)
        assert await client.until_closed() == []
        assert client.socket.close_code == 4008
    assert (error["status"], error["uid"]) == ("ERROR", uid)
    assert text in error["message"]


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [(AtCapacity(), "WAIT", 1.0), (Restarting(), "WARNING", "The server is restarting.")],
)
async def test_a_client_that_may_come_back_gets_no_error(error, status, message):
    """After an error, clients do not connect again."""
    socket, sent = WhisperLiveSocket(), []

    async def send(**fields):
        sent.append(fields)

    socket._send = send
    await socket.send_error(error)
    assert sent[0]["status"] == status
    assert sent[0]["message"] == message if status == "WAIT" else message in sent[0]["message"]
