"""Errors of streams as their users read them: what happened, why, and what to do.

Raised where the cause is known; each dialect turns them into its own error messages and close codes.
"""

from enum import IntEnum


class CloseCode(IntEnum):
    """Codes that the server closes with. Autobahn, the WebSocket library, sends only 1000 and 3000 to 4999, and raises
    an exception for all others: even for 1011, which means an unexpected error."""

    DONE = 1000
    AT_CAPACITY = 4000
    NOT_AUTHENTICATED = 4001
    NOT_APPROVED = 4003
    RATE_LIMITED = 4004
    PROTOCOL = 4008
    TOO_SLOW = 4009
    RESTARTING = 4010
    NO_ENGINE = 4011
    TAKEN_OVER = 4012
    SESSION_NOT_FOUND = 4013
    FAILED = 4014


class StreamError(Exception):
    code: CloseCode
    what: str
    why: str
    action: str

    def __init__(self, what: str = "", why: str = "", action: str = "") -> None:
        self.what = what or self.what
        self.why = why or self.why
        self.action = action or self.action
        super().__init__(f"{self.what} {self.why}")


class InternalError(StreamError):
    """Any other exception, as its user reads it. It is raised by last resorts only, which log the exception."""

    code = CloseCode.FAILED
    what = "Something went wrong on the server."
    why = "It is a fault of the server; its log has the details."
    action = "Try again. If the problem persists, contact your administrator."


class AtCapacity(StreamError):
    code = CloseCode.AT_CAPACITY
    what = "The server is at capacity."
    why = "All speech engines are busy."
    action = "Wait in the queue, or try again in a few minutes."


class NotAuthenticated(StreamError):
    code = CloseCode.NOT_AUTHENTICATED
    what = "Invalid ticket."
    action = "Request a new ticket. If that fails too, log in again."


class NotApproved(StreamError):
    code = CloseCode.NOT_APPROVED
    what = "Your account is not approved."
    why = "An administrator must approve accounts on this site."
    action = "Check your account status."


class TooManyStreams(StreamError):
    code = CloseCode.RATE_LIMITED
    what = "Too many open streams."
    action = "Stop another one. A closed window releases its stream within 30 seconds."


class EndedByAdmin(StreamError):
    code = CloseCode.RATE_LIMITED
    what = "An administrator ended this stream."
    why = "Everything up to that point is saved."
    action = "You can start a new one, or ask them why."


class QuotaReached(StreamError):
    code = CloseCode.RATE_LIMITED
    what = "You've reached your storage limit."
    action = "Delete sessions you no longer need, or ask your administrator for a higher limit."


class TooFast(StreamError):
    code = CloseCode.RATE_LIMITED
    what = "Audio was sent faster than it can be transcribed."
    why = "The buffer is full."
    action = "Don't send faster than the server acknowledges."


class TooSlow(StreamError):
    code = CloseCode.TOO_SLOW
    what = "The client reads too slowly."
    why = "It has not read what it was sent for some minutes."
    action = "Read while you send, and connect again."


class ProtocolError(StreamError):
    code = CloseCode.PROTOCOL
    what = "The server couldn't process the request."
    action = "Reload the page. If the problem persists, contact your administrator."


class NoEngine(StreamError):
    code = CloseCode.NO_ENGINE
    what = "No speech engine is running."
    why = "The inference process isn't available; it may be starting."
    action = "Try again in a minute. If the problem persists, contact your administrator."


class Unavailable(StreamError):
    """The stream itself is fine: the client should keep its audio, reconnect and resend it."""

    code = CloseCode.RESTARTING
    what = "The server can't save your session right now."
    why = "Its database isn't responding."
    action = "Keep this page open; it continues automatically."


class Restarting(Unavailable):
    what = "The server is restarting."
    why = "It was stopped or is being updated."


class SessionNotFound(StreamError):
    code = CloseCode.SESSION_NOT_FOUND
    what = "Session not found."
    why = "It was deleted, belongs to another account, or no audio had arrived yet."
    action = "Start a new session."


class IsConversation(StreamError):
    code = CloseCode.PROTOCOL
    what = "This session is a conversation."
    why = "Only the Talk page can continue it."
    action = "Continue it there, or start a new session here."


class TakenOver(StreamError):
    code = CloseCode.TAKEN_OVER
    what = "This session moved to another window."
    why = "The window that opened it last takes over."
    action = "Continue there, or start a new session here."


class VoiceNotFound(StreamError):
    code = CloseCode.PROTOCOL
    what = "Voice not found."
    why = "The name is wrong, or its engine isn't running."
    action = "Choose another voice; the Voices page lists all of them."


class InvalidControl(StreamError):
    code = CloseCode.PROTOCOL
    what = "The engine doesn't support this setting."
    action = "Choose a value offered on the Voices page."


class InvalidText(StreamError):
    code = CloseCode.PROTOCOL
    what = "No text to speak."
    why = "The text contains nothing that can be read aloud."
    action = "Enter some text."
