"""Kyutai's messages, byte for byte, in both directions."""

import msgpack
import numpy as np
import pytest

from speech.dialects.kyutai import messages
from speech.dialects.kyutai.messages import floats
from speech.errors import ProtocolError

HELLO = "83a474797065a4576f7264a474657874a568656c6c6faa73746172745f74696d65cb3ff47ae147ae147b"
STEP = (
    "84a474797065a453746570a8737465705f69647803a370727394ca3f000000ca3e800000ca3e000000ca3f800000"
    "ac62756666657265645f70636dcd5dc0"
)
ERROR = "82a474797065a54572726f72a76d657373616765b06e6f2066726565206368616e6e656c73"
SPOKEN = "84a474797065a454657874a474657874a26869a773746172745f73cb3fb47ae147ae147ba673746f705f73cb3fc47ae147ae147b"

SERVER_MESSAGES = {
    "Ready": (messages.Ready(), "81a474797065a55265616479"),
    "Word": (messages.Word("hello", 1.28), HELLO),
    "EndWord": (messages.EndWord(0.0), "82a474797065a7456e64576f7264a973746f705f74696d65cb0000000000000000"),
    "Marker 0": (messages.Marker(0), "82a474797065a64d61726b6572a2696400"),
    "Marker 300": (messages.Marker(300), "82a474797065a64d61726b6572a26964cd012c"),
    "Step": (messages.Step(3, floats(np.array([0.5, 0.25, 0.125, 1], np.float32)), 24000), STEP),
    "Error": (messages.Error("no free channels"), ERROR),
    "Text": (messages.SpokenText("hi", 0.08, 0.16), SPOKEN),
    "Audio": (
        messages.SpokenAudio(floats(np.array([0, 0.5], np.float32))),
        "82a474797065a5417564696fa370636d92ca00000000ca3f000000",
    ),
    "OggOpus": (messages.SpokenOpus([0x4F, 0x67, 0xFF]), "82a474797065a74f67674f707573a464617461934f67ccff"),
}


@pytest.mark.parametrize(("message", "wire"), SERVER_MESSAGES.values(), ids=SERVER_MESSAGES.keys())
def test_server_messages(message, wire):
    assert message.encoded().hex() == wire


def test_a_frame_of_audio_has_the_length_of_moshi_server():
    wire = messages.SpokenAudio(floats(np.linspace(-1, 1, 1920, dtype=np.float32))).encoded()
    assert len(wire) == 9619
    assert msgpack.unpackb(wire)["pcm"] == np.linspace(-1, 1, 1920, dtype=np.float32).tolist()


def test_speech_to_text_client_messages():
    wire = bytes.fromhex("82a474797065a5417564696fa370636d91ca3f000000")
    assert messages.decode_asr(wire) == messages.Audio([0.5])
    assert messages.decode_asr(bytes.fromhex("82a474797065a64d61726b6572a26964cd012c")) == messages.Marker(300)
    assert messages.decode_asr(bytes.fromhex("81a474797065a4496e6974")) == messages.Init()
    assert messages.decode_asr(bytes.fromhex("82a474797065a74f67674f707573a464617461934f67ccff")) == messages.OggOpus(
        [0x4F, 0x67, 0xFF]
    )


def test_text_to_speech_client_messages():
    assert messages.decode_tts(bytes.fromhex("81a474797065a3456f73")) == messages.Eos()
    assert messages.decode_tts(bytes.fromhex("82a474797065a454657874a474657874a26869")) == messages.Text("hi")


LENIENT = {
    "keys in another order": {"pcm": [0.5], "type": "Audio"},
    "unknown keys": {"type": "Audio", "pcm": [0.5], "more": {"x": [1]}},
    "numbers of any kind": {"type": "Audio", "pcm": [0, 1, -1, 0.25]},
    "no samples": {"type": "Audio", "pcm": []},
    "a marker of 64 bits": {"type": "Marker", "id": -(2**63)},
    "bytes as bytes": {"type": "OggOpus", "data": b"Ogg"},
}


@pytest.mark.parametrize("message", LENIENT.values(), ids=LENIENT.keys())
@pytest.mark.parametrize("single", [True, False])
def test_accepted_variants(message, single):
    assert messages.decode_asr(msgpack.packb(message, use_single_float=single))


INVALID = [
    b"",
    b"\x00",
    b"\xc1",
    b"\x91" * 5_000,
    msgpack.packb({"type": "Nothing"}),
    msgpack.packb({"type": "Audio"}),
    msgpack.packb({"type": "Audio", "pcm": b"raw"}),
    msgpack.packb({"type": "Audio", "pcm": ["x"]}),
    msgpack.packb({"type": "Marker", "id": 2**63}),
    msgpack.packb([1, 2]),
]


@pytest.mark.parametrize("wire", INVALID, ids=range(len(INVALID)))
def test_invalid_messages(wire):
    with pytest.raises(ProtocolError):
        messages.decode_asr(wire)
