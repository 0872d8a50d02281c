"""HTTP API of the live page: tickets for WebSockets, and stored words."""

import logging
import uuid

from django.db.models import F
from django.shortcuts import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import UserRateThrottle
from rest_framework.views import APIView

from accounts.credentials.jwt import tokens
from inference.observability.recent_errors import NETWORK_ERROR
from speech.gateway.transient_errors import TRANSIENT_ERRORS
from speech.models import Session

logger = logging.getLogger(__name__)


class TicketThrottle(UserRateThrottle):
    scope = "tickets"

    def allow_request(self, request: Request, view: APIView) -> bool:
        try:
            return super().allow_request(request, view)
        except TRANSIENT_ERRORS as error:  # clients reconnect before an outage is quite over
            logger.warning("ticket rate limit disabled: cache unavailable: %r", error, extra=NETWORK_ERROR)
            return True


class Tickets(APIView):
    """Issues tickets: one opens one WebSocket, once, within 30 seconds, so no long-lived token appears in a URL."""

    throttle_classes = (TicketThrottle,)

    def post(self, request: Request) -> Response:
        ticket = tokens.issue(request.user, tokens.TICKET_AUDIENCE, tokens.TICKET_LIFETIME)
        return Response({"ticket": ticket, "expires_in": int(tokens.TICKET_LIFETIME.total_seconds())})


class Words(APIView):
    """Stored words of a session from index `first`, in the format of the WebSocket, for a page that was reloaded."""

    def get(self, request: Request, pk: uuid.UUID, first: int) -> Response:
        session = get_object_or_404(Session.objects.of(request.user), pk=pk)
        words = session.words.filter(index__gte=first)
        fields = ("index", "text", "start", "end", "confidence")
        return Response({"words": words.values(*fields, segment=F("segment_index"))})
