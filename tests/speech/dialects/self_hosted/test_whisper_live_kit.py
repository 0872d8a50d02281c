"""The protocol of WhisperLiveKit."""

import io

import av
import numpy as np
import pytest
import soundfile

from tests.speech.dialects.self_hosted.conftest import words_at_16_khz
from tests.support.speech.checksum_audio import noise, words_of

PCM = noise(45)
WORDS = words_at_16_khz(PCM)
"""The noise is as good at 16 kHz."""
CONFIG = {"type": "config", "useAudioWorklet": True, "mode": "full"}
READY_TO_STOP = {"type": "ready_to_stop"}


async def listen(connect, data=PCM, **query):
    async with connect("asr", **query) as client:
        for start in range(0, len(data), 16_000):
            await client.send(data[start : start + 16_000])
        await client.send(b"")
        await client.send(b"the last piece of a recorder")
        received = await client.until_closed()
        assert client.socket.close_code == 1000
    return received


def text_of(lines):
    return " ".join(line["text"] for line in lines)


async def test_the_state_has_every_word_once_and_the_last_line_grows(connect):
    config, *states, end = await listen(connect)
    assert (config, end) == (CONFIG, READY_TO_STOP)
    assert states[0]["status"] == "no_audio_detected"
    assert text_of(states[-1]["lines"]).split() == WORDS
    assert states[-1]["lines"][0] == {
        "speaker": 1,
        "text": " ".join(WORDS[:5]),
        "start": "0:00:00.00",
        "end": "0:00:02.00",
    }
    assert WORDS[0] in [text_of(state["lines"]) for state in states]
    assert (states[-1]["status"], states[-1]["buffer_transcription"]) == ("active_transcription", "")
    assert "…" in [state["buffer_transcription"] for state in states]


async def test_in_the_mode_diff_lines_are_appended(connect):
    config, snapshot, *differences, end = await listen(connect, mode="diff")
    assert (config, end) == (CONFIG | {"mode": "diff"}, READY_TO_STOP)
    assert (snapshot["type"], snapshot["lines"]) == ("snapshot", [])
    lines = []
    for number, difference in enumerate(differences, 2):
        lines += difference.get("new_lines", [])
        assert (difference["type"], difference["seq"], difference["n_lines"]) == ("diff", number, len(lines))
    assert text_of(lines).split() == WORDS
    assert WORDS[0] in [difference["buffer_transcription"] for difference in differences]


def webm(samples):
    file = io.BytesIO()
    with av.open(file, "w", format="webm") as container:
        stream = container.add_stream("libopus", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = 48_000
        container.mux([*stream.encode(frame), *stream.encode(None)])
    return file.getvalue()


async def test_a_browsers_recording_is_decoded(connect):
    _, *states, end = await listen(connect, webm(np.zeros(96_000, np.int16)), language="auto")
    assert end == READY_TO_STOP
    assert len(text_of(states[-1]["lines"]).split()) in (5, 6)


async def test_a_wav_file_is_decoded(connect):
    file = io.BytesIO()
    soundfile.write(file, np.frombuffer(PCM, "<i2"), 24_000, format="WAV")
    _, *states, _ = await listen(connect, file.getvalue())
    assert text_of(states[-1]["lines"]).split() == words_of(PCM)


@pytest.mark.parametrize(
    ("query", "text"), [({"target_language": "fr"}, "“target_language”"), ({"language": "xx"}, "“xx”")]
)
async def test_what_is_not_supported_is_an_error(connect, query, text):
    async with connect("asr", **query) as client:
        config, error = await client.until_closed()
        assert client.socket.close_code == 4008
    assert config == CONFIG
    assert (error["type"], error["status"], error["lines"]) == ("error", "error", [])
    assert text in error["error"]
