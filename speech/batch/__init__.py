"""Transcription of recordings: decoded, split into chunks, transcribed in parallel, and put together in order."""
