"""`/v1/realtime?intent=transcription`: live transcription for OpenAI's Realtime clients."""
