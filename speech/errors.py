"""What can go wrong with a stream, in words for its user: what happened, why, and what to do.

Raised where it is known; a dialect turns it into its own error and close code.
"""

from enum import IntEnum


class CloseCode(IntEnum):
    DONE = 1000
    FAILED = 1011
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


class AtCapacity(StreamError):
    code = CloseCode.AT_CAPACITY
    what = "All places are taken."
    why = "The speech engine serves as many streams as it can at the moment."
    action = "Wait for a free place, or try again in a few minutes."


class NotAuthenticated(StreamError):
    code = CloseCode.NOT_AUTHENTICATED
    what = "The ticket was refused."
    action = "Ask for a new ticket; log in again if that is refused too."


class NotApproved(StreamError):
    code = CloseCode.NOT_APPROVED
    what = "Your account is not approved."
    why = "An administrator decides who may use this site."
    action = "See your account's standing."


class TooManyStreams(StreamError):
    code = CloseCode.RATE_LIMITED
    what = "You have too many streams open."
    action = "Stop one of the others; a window that was closed lets go of its stream within half a minute."


class EndedByAdmin(StreamError):
    code = CloseCode.RATE_LIMITED
    what = "An administrator has ended this stream."
    why = "What was said until then is stored."
    action = "Ask them why; you may begin another one."


class QuotaReached(StreamError):
    code = CloseCode.RATE_LIMITED
    what = "You keep as many hours of sessions as you may."
    action = "Delete sessions that you need no more, or ask whoever runs this site for more room."


class TooFast(StreamError):
    code = CloseCode.RATE_LIMITED
    what = "The audio came faster than it can be transcribed."
    why = "What waits to be transcribed has reached its bound."
    action = "Send no faster than the server acknowledges."


class ProtocolError(StreamError):
    code = CloseCode.PROTOCOL
    what = "The server did not understand the client."
    action = "Reload the page; if it happens again, tell whoever runs this site."


class NoEngine(StreamError):
    code = CloseCode.NO_ENGINE
    what = "No speech engine is running."
    why = "The process that transcribes is not there; it may be starting."
    action = "Try again in a minute; if it stays so, tell whoever runs this site."


class Unavailable(StreamError):
    """Nothing is wrong with the stream: whoever holds the audio should come back with it."""

    code = CloseCode.RESTARTING
    what = "The server cannot store what you say at the moment."
    why = "Its database does not answer."
    action = "Keep this page open: it goes on by itself."


class Restarting(Unavailable):
    what = "The server restarts."
    why = "Whoever runs it has stopped it, or brings a new version."


class SessionNotFound(StreamError):
    code = CloseCode.SESSION_NOT_FOUND
    what = "There is no such session."
    why = "It is not yours, it was deleted, or nothing of it had come through."
    action = "Start anew."


class TakenOver(StreamError):
    code = CloseCode.TAKEN_OVER
    what = "This session goes on in another window."
    why = "The newest window that asks for a session has it."
    action = "Go on there, or start a new session here."


class VoiceNotFound(StreamError):
    code = CloseCode.PROTOCOL
    what = "There is no such voice."
    why = "It is misspelled, or its engine is not running."
    action = "Choose another one; the page of voices has them all."


class InvalidControl(StreamError):
    code = CloseCode.PROTOCOL
    what = "The engine cannot speak like that."
    action = "Choose a value that the page of voices offers."


class InvalidText(StreamError):
    code = CloseCode.PROTOCOL
    what = "There is nothing to speak."
    why = "The text has no word, number or sign that can be read out."
    action = "Write some words."
