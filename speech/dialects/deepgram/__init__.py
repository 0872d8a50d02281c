"""Deepgram's shape of speech to text, at `/v1/listen`: a WebSocket for what is being said, POST for recordings."""
