"""Short notices to all web processes: a user was rejected, a session was taken over."""

import logging
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from inference.messages import WEB_GROUP

logger = logging.getLogger(__name__)


def broadcast(topic: str, **data: Any) -> None:
    """Call every listener of the topic, in every web process (`Link.listening`).

    It hastens what the database says anyway, so whoever has something to say is not stopped if nobody can be told.
    """
    message = {"type": "notice", "topic": topic, "data": data}
    try:
        async_to_sync(get_channel_layer().group_send)(WEB_GROUP, message)
    except Exception as error:
        logger.error("nobody could be told about %s, the channel layer is away: %r", topic, error)


def user_topic(pk: int) -> str:
    return f"user.{pk}"


def token_topic(pk: object) -> str:
    return f"token.{pk}"


def uploads_topic() -> str:
    return "uploads"


def session_topic(pk: object) -> str:
    return f"session.{pk}"
