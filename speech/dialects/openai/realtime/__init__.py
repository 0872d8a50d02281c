"""`/v1/realtime?intent=transcription`: what is being said, as OpenAI's realtime clients hear of it."""
