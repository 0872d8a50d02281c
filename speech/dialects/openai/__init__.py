"""OpenAI's audio API for its official clients, at `/v1/`."""
