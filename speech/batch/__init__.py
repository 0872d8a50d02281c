"""Recordings are not heard from their beginning to their end, as a voice is, but in parts beside each other."""
