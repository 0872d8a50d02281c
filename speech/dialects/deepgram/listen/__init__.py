"""Speech to text, at `/v1/listen`: a WebSocket for live audio, POST for recordings."""
