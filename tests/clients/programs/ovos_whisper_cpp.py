"""Transcribe a recording with OpenVoiceOS's plugin for the server of whisper.cpp: URL TOKEN FILE (24 kHz, 16 bit).

It replaces the query of its server's URL by its own, so the token is the password in the URL.
"""

import sys
import wave
from types import SimpleNamespace

import numpy as np
from ovos_config import Configuration
from ovos_stt_plugin_whispercppserver import OVOSWCPPSSTT
from scipy.signal import resample_poly

url, token, file = sys.argv[1:]
with wave.open(file) as wav:
    samples = np.frombuffer(wav.readframes(wav.getnframes()), "<i2")
pcm = np.clip(resample_poly(samples.astype(float), 2, 3), -32768, 32767).astype("<i2").tobytes()
server = f"{url.replace('://', f'://token:{token}@')}/inference"
Configuration()["stt"] = {"ovos-stt-plugin-whispercppserver": {"server": server}}
print(OVOSWCPPSSTT().execute(SimpleNamespace(get_wav_data=lambda: pcm), "en-us").replace("\n", " "))
