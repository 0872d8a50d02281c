"""Tickets for the WebSockets of the live page and the Voices page."""

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.credentials.jwt import tokens
from accounts.credentials.throttling import TicketThrottle


class Tickets(APIView):
    """Issues tickets: one opens one WebSocket, once, within 30 seconds, so no long-lived token appears in a URL."""

    throttle_classes = (TicketThrottle,)

    def post(self, request: Request) -> Response:
        ticket = tokens.issue(request.user, tokens.TICKET_AUDIENCE, tokens.TICKET_LIFETIME)
        return Response({"ticket": ticket, "expires_in": int(tokens.TICKET_LIFETIME.total_seconds())})
