"""Tickets for the WebSockets of the live page and the Voices page."""

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.credentials.jwt import tickets
from accounts.credentials.jwt.tokens import TICKET_LIFETIME
from accounts.credentials.throttling import TicketThrottle


class Tickets(APIView):
    """Issues tickets: one opens one WebSocket, once, within 30 seconds, so no long-lived token appears in a URL.

    Only to a browser: it declares no scope, because a ticket gives access to everything that the pages can do."""

    throttle_classes = (TicketThrottle,)

    def post(self, request: Request) -> Response:
        ticket = tickets.issue(request._request)
        return Response({"ticket": ticket, "expires_in": int(TICKET_LIFETIME.total_seconds())})
