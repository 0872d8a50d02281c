"""Errors of language models: what happened, why, and what to do; and what the conversation says instead of a reply."""

from speech.errors import CloseCode, StreamError

RETRY = "Try again in a minute. If the problem persists, contact your administrator."
CONFIGURE = "Choose another model, or ask your administrator to check the settings."


class ModelError(StreamError):
    """No reply, or only part of one. The conversation can go on."""

    code = CloseCode.FAILED
    what = "The language model failed."
    why = "Its server reported an error."
    action = RETRY
    spoken: str = "Sorry, the language model isn't answering."
    """A short sentence that the conversation speaks."""
    outcome: str = "server_error"
    """Label of the metric that counts requests."""


class ModelUnreachable(ModelError):
    what = "The language model can't be reached."
    why = "Its server isn't running, or there is no connection to it."
    outcome = "unreachable"


class ModelNotAllowed(ModelError):
    what = "The language model refused the request."
    why = "Its server rejected this site's API key."
    action = CONFIGURE
    spoken = "Sorry, I have no access to the language model."
    outcome = "not_allowed"


class ModelMissing(ModelError):
    what = "The language model doesn't exist."
    why = "Its server doesn't have a model of this name, or has another address."
    action = CONFIGURE
    spoken = "Sorry, the language model doesn't exist."
    outcome = "missing"


class ModelBusy(ModelError):
    what = "The language model is busy."
    why = "Its server limits the number of requests."
    action = "Wait a moment, then try again."
    spoken = "Sorry, the language model is busy. Please try again in a moment."
    outcome = "busy"


class ModelTimeout(ModelError):
    what = "The language model didn't answer in time."
    why = "It may be loading, or too large for its machine."
    outcome = "timeout"


class ModelStalled(ModelError):
    what = "The language model stopped in the middle of its reply."
    why = "It sent nothing more for too long."
    spoken = "Sorry, I lost the rest of my answer."
    outcome = "stalled"


class ModelDisconnected(ModelError):
    what = "The connection to the language model was lost."
    why = "Its server ended the connection in the middle of the reply."
    spoken = "Sorry, I lost the rest of my answer."
    outcome = "disconnected"


class ModelInvalid(ModelError):
    what = "The language model's answer can't be read."
    why = "Its server doesn't answer as OpenAI's Chat Completions API does."
    action = CONFIGURE
    outcome = "invalid"


class ModelEmpty(ModelError):
    what = "The language model's reply is empty."
    why = "It ended its reply without any text."
    action = "Try again, or say it in other words."
    spoken = "Sorry, I have no answer to that."
    outcome = "empty"


class ModelRejected(ModelError):
    what = "The language model rejected the request."
    why = "Its server doesn't support what this site sends."
    action = CONFIGURE
    outcome = "rejected"


class ContextExceeded(ModelError):
    what = "The conversation is too long for the language model."
    why = "It has more text than the model can read at once."
    action = "Start a new conversation, or ask your administrator to set the model's context size."
    spoken = "Sorry, our conversation has become too long for me."
    outcome = "context_exceeded"


class ModelNotFound(StreamError):
    code = CloseCode.PROTOCOL
    what = "Language model not found."
    why = "The name is wrong, or its server isn't running."
    action = "Choose another model."


class NoModel(StreamError):
    code = CloseCode.NO_ENGINE
    what = "No language model is available."
    why = "None is configured, and none is running on the site's machine."
    action = "Ask your administrator to connect one."
