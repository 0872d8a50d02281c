"""Deepgram's official package with real speech: recordings, files that arrive in pieces, turns, and synthesis."""

import threading
import time

import numpy as np
import pytest
from deepgram.speak.v1.types import SpeakV1Text

from tests.clients.conftest import SENTENCE
from tests.speech.dialects.deepgram.conftest import client_of
from tests.support.clients.third_party import Client, installed
from tests.support.speech.recordings import encode
from tests.support.speech.words import word_error_rate

pytestmark = pytest.mark.slow

DEEPGRAM = Client("Deepgram for Python", "PyPI: deepgram-sdk", "Deepgram", installed("deepgram-sdk"))
FLUX = Client("Deepgram for Python", "PyPI: deepgram-sdk", "Deepgram Flux", installed("deepgram-sdk"))
RATE = 24_000
CHUNK = 0.08
"""Seconds of audio in a message."""


@pytest.fixture
def client(speech_access):
    return client_of(speech_access)


def send(socket, data, seconds, pace=0.25):
    """Send in another thread, `1 / pace` times as fast as real time, and end the stream."""

    def run():
        size = round(len(data) * CHUNK / seconds)
        size += size % 2
        for start in range(0, len(data), size):
            socket.send_media(data[start : start + size])
            time.sleep(CHUNK * pace)
        socket.send_close_stream()

    threading.Thread(target=run, daemon=True).start()


@pytest.mark.client(DEEPGRAM, "recordings")
def test_a_recording_has_paragraphs_and_utterances(client, excerpt):
    response = client.listen.v1.media.transcribe_file(
        request=excerpt.wav(RATE).read_bytes(), model="nova-3", smart_format=True, utterances=True
    )
    best = response.results.channels[0].alternatives[0]
    assert word_error_rate(excerpt.text, best.transcript) <= 0.1
    assert word_error_rate(best.transcript, best.paragraphs.transcript) == 0
    assert word_error_rate(best.transcript, " ".join(each.transcript for each in response.results.utterances)) == 0


@pytest.mark.client(DEEPGRAM, "live speech")
@pytest.mark.parametrize(
    ("extension", "options"),
    [
        ("webm", ["-c:a", "libopus", "-live", "1", "-cluster_time_limit", "200"]),
        ("mp4", ["-c:a", "aac", "-movflags", "frag_keyframe+empty_moov+default_base_moof", "-frag_duration", "200000"]),
        ("mp3", []),
        ("flac", []),
        ("wav", ["-c:a", "pcm_f32le"]),
    ],
)
def test_a_file_is_transcribed_while_it_arrives(client, excerpt, tmp_path, extension, options):
    data = encode(tmp_path / f"speech.{extension}", "-i", str(excerpt.wav(48_000)), *options).read_bytes()
    seconds = len(excerpt.samples(RATE)) / RATE
    with client.listen.v1.connect(model="nova-3", interim_results="true") as socket:
        send(socket, data, seconds)
        results = [message for message in socket if message.type == "Results" and message.is_final]
    text = " ".join(message.channel.alternatives[0].transcript for message in results)
    assert word_error_rate(excerpt.text, text) <= 0.1, text


@pytest.mark.client(DEEPGRAM, "live speech")
def test_endpointing_joins_utterances(client, excerpt):
    pcm = excerpt.samples(RATE, silence_after=1.0).tobytes()
    query = {"model": "nova-3", "encoding": "linear16", "sample_rate": RATE, "punctuate": "false"}

    def utterances(endpointing):
        with client.listen.v1.connect(**query, endpointing=endpointing) as socket:
            send(socket, pcm, len(pcm) / 2 / RATE)
            results = [message for message in socket if message.type == "Results" and message.is_final]
        text = " ".join(message.channel.alternatives[0].transcript for message in results)
        assert word_error_rate(excerpt.text, text) <= 0.15, text
        assert text == text.lower()
        return sum(message.speech_final for message in results)

    assert utterances(25) >= utterances(2_000)


@pytest.mark.client(FLUX, "live speech")
def test_turns_end_where_a_sentence_and_silence_do(client, excerpt):
    spoken = excerpt.samples(RATE, silence_after=2.0)
    pcm = np.concatenate([spoken, spoken]).tobytes()
    query = {"model": "flux-general-en", "encoding": "linear16", "sample_rate": RATE}
    with client.listen.v2.connect(**query, eager_eot_threshold=0.4) as socket:
        send(socket, pcm, len(pcm) / 2 / RATE)
        turns = [message for message in socket if message.type == "TurnInfo" and message.event != "Update"]
    ends = [turn for turn in turns if turn.event == "EndOfTurn"]
    text = " ".join(turn.transcript for turn in ends)
    assert word_error_rate(f"{excerpt.text} {excerpt.text}", text) <= 0.15, text
    assert len(ends) >= 2
    assert [turn.event for turn in turns].count("StartOfTurn") == len(ends)
    assert any(turn.event == "EagerEndOfTurn" for turn in turns)


@pytest.mark.client(DEEPGRAM, "synthesis")
def test_speech_of_a_request_is_transcribed_again(speaks, client):
    def speak(url, token, out):
        query = {"model": "aura-2-thalia-en", "encoding": "linear16", "container": "none", "sample_rate": RATE}
        out.write_bytes(b"".join(client.speak.v1.audio.generate(text=SENTENCE, **query)))

    speaks(speak)


@pytest.mark.client(DEEPGRAM, "synthesis")
def test_speech_of_a_socket_is_transcribed_again(speaks, client):
    def speak(url, token, out):
        with client.speak.v1.connect(model="aura-2-thalia-en", encoding="linear16", sample_rate=RATE) as socket:
            for word in SENTENCE.split():
                socket.send_text(SpeakV1Text(type="Speak", text=f"{word} "))
            socket.send_close()
            out.write_bytes(b"".join(message for message in socket if isinstance(message, bytes)))

    speaks(speak)
