"""OpenAI's shape of speech: what its official clients send and expect, at `/v1/`."""
