"""Protocols of other servers that people host themselves: vosk-server, WhisperLive, WhisperLiveKit and whisper.cpp."""
