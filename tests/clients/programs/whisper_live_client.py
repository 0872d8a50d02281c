"""Transcribe a recording with WhisperLive's clients: `stream` or `file`, URL TOKEN FILE (24 kHz, mono, 16 bit).

Their host and port make a URL, so a path and a token can follow the port. PyAudio, which `file` would play the
recording with, is replaced: `file` also waits for 15 s without a new text, so it takes that long.
"""

import os
import sys
import tempfile
import wave
from types import SimpleNamespace
from urllib.parse import urlsplit

import numpy as np

sys.modules["pyaudio"] = SimpleNamespace(
    paInt16=8, PyAudio=lambda: SimpleNamespace(open=lambda **_: None, terminate=lambda: None)
)

from scipy.signal import resample_poly  # noqa: E402
from whisper_live.client import StreamingTranscriptionClient, TranscriptionClient  # noqa: E402

mode, url, token, file = sys.argv[1:]
address = urlsplit(url)
port = f"{address.port}/whisper-live?token={token}"

if mode == "stream":
    with wave.open(file) as wav:
        samples = np.frombuffer(wav.readframes(wav.getnframes()), "<i2")
    pcm = np.clip(resample_poly(samples.astype(float), 2, 3), -32768, 32767).astype("<i2").tobytes()
    with StreamingTranscriptionClient(address.hostname, port, lang="en") as client:
        for start in range(0, len(pcm), 8_192):
            client.send(pcm[start : start + 8_192])
    print(" ".join(segment["text"] for segment in client.transcript))
else:
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        client = TranscriptionClient(
            address.hostname, port, lang="en", log_transcription=False, mute_audio_playback=True,
            output_transcription_path="out.srt",
        )  # fmt: skip
        client(file)
        with open("out.srt") as subtitles:
            blocks = subtitles.read().strip().split("\n\n")
    print("SUBTITLES", " ".join(block.split("\n", 2)[2] for block in blocks))
