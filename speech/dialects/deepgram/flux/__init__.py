"""Flux: speech to text with turns, for voice agents, at `/v2/listen`."""
