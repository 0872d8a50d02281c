"""Deepgram's API for its official clients, at `/v1/` and `/v2/`."""
