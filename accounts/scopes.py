"""Token scopes. What declares no scope, such as account settings, is out of reach for every token."""

STT = "stt"
TTS = "tts"
SESSIONS = "sessions"

ADMIN = "admin"

LABELS = {
    STT: "Speech to text",
    TTS: "Text to speech",
    SESSIONS: "Read, save and edit sessions",
    ADMIN: "Approve and reject accounts (administrators)",
}
ALL_SCOPES = frozenset(LABELS)
DEFAULT_SCOPES = ALL_SCOPES - {ADMIN}
"""Scopes of a token if none are requested."""

ANY_SCOPE = "any scope"
"""Requirement of what every valid token gives access to, whatever its scopes."""
BROWSER_ONLY = "browser only"
"""Requirement of what no token gives access to; the default."""


class UnknownScope(ValueError):
    pass


def check_declared(requirement: object, name: str) -> None:
    """Raises `UnknownScope` if `name`, which accepts tokens, declares neither a scope nor `ANY_SCOPE`."""
    if requirement not in ALL_SCOPES | {ANY_SCOPE}:
        raise UnknownScope(f"{name} accepts tokens but declares no scope. Declare one of: {', '.join(LABELS)}.")


def scopes_of(text: str) -> frozenset[str]:
    """Parse scopes separated by spaces or commas. Raises `UnknownScope`, whose `str` is the error message."""
    scopes = frozenset(text.replace(",", " ").split())
    if unknown := sorted(scopes - ALL_SCOPES):
        raise UnknownScope(f"Unknown scope “{unknown[0]}”. Available scopes: {', '.join(LABELS)}.")
    return scopes


def text_of(scopes: frozenset[str]) -> str:
    """The scopes separated by spaces, in the order of `LABELS`."""
    return " ".join(scope for scope in LABELS if scope in scopes)
