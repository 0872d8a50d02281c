"""Short notices to all web processes: a user was rejected, a session was taken over."""

import logging
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from inference.messages import WEB_GROUP
from inference.observability.recent_errors import NETWORK_ERROR

logger = logging.getLogger(__name__)


def broadcast(topic: str, **data: Any) -> None:
    """Call every subscriber of the topic, in every web process (`Link.subscribed`).

    A notice only makes known sooner what the database says anyway, so a failure is logged and not raised.
    """
    message = {"type": "notice", "topic": topic, "data": data}
    try:
        async_to_sync(get_channel_layer().group_send)(WEB_GROUP, message)
    except Exception as error:
        logger.error("could not broadcast %s: channel layer unavailable: %r", topic, error, extra=NETWORK_ERROR)


def user_topic(pk: int) -> str:
    return f"user.{pk}"


def token_topic(pk: object) -> str:
    return f"token.{pk}"


def login_topic(session_hash: str) -> str:
    return f"login.{session_hash}"


def uploads_topic() -> str:
    return "uploads"


def session_topic(pk: object) -> str:
    return f"session.{pk}"
