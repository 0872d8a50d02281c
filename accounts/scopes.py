"""What a token lets its bearer do in its user's name. What is not a scope, as the user's account, no token opens."""

STT = "stt"
TTS = "tts"
SESSIONS = "sessions"

ADMIN = "admin"

LABELS = {
    STT: "Speech to text",
    TTS: "Text to speech",
    SESSIONS: "Read, keep and change sessions",
    ADMIN: "Approve and reject accounts (administrators)",
}
EVERY = frozenset(LABELS)
ALL = EVERY - {ADMIN}
"""What a token may do unless less, or more, is asked for."""


class UnknownScope(ValueError):
    pass


def scopes_of(text: str) -> frozenset[str]:
    """Of a text with scopes between spaces or commas. Raises `UnknownScope`, which `str` of it tells in words."""
    scopes = frozenset(text.replace(",", " ").split())
    if unknown := sorted(scopes - EVERY):
        raise UnknownScope(f"There is no scope “{unknown[0]}”. The scopes are: {', '.join(LABELS)}.")
    return scopes


def text_of(scopes: frozenset[str]) -> str:
    """In the order in which they are listed, between spaces."""
    return " ".join(scope for scope in LABELS if scope in scopes)
