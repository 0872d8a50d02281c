"""The check of a request's credentials before its body is read."""

import logging
from http import HTTPStatus

from accounts.credentials.credentials import Credentials, caller_of
from accounts.credentials.principal import AccessDenied
from inference.observability.recent_errors import classify
from speech.gateway.database import in_database
from speech.gateway.transient_errors import TRANSIENT_ERRORS

logger = logging.getLogger(__name__)


class CannotAuthenticate(AccessDenied):
    status = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self) -> None:
        why = "A service that it depends on is unavailable."
        super().__init__(
            "unavailable", "The server can't accept the request right now.", why, "Retry in a few seconds."
        )


async def denial_of(headers: list[tuple[bytes, bytes]], query: bytes) -> AccessDenied | None:
    """Why these headers and this query don't authenticate an approved account; None if they do. The view of the request
    checks again, with its scope."""
    try:
        await in_database(caller_of, Credentials.of_scope({"headers": headers, "query_string": query}))
    except AccessDenied as denied:
        return denied
    except TRANSIENT_ERRORS as error:
        logger.error("cannot authenticate: %r", error, extra=classify(error))
        return CannotAuthenticate()
    return None
