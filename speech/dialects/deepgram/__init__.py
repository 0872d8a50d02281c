"""Deepgram's speech-to-text API, at `/v1/listen`: a WebSocket for live audio, POST for recordings."""
