"""Text to speech, at `/v1/speak`: POST for a whole text, a WebSocket for one that is being written."""
