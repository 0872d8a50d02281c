"""Tokens over HTTP: the first access token, the next, and the last."""

from dataclasses import asdict
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from rest_framework import serializers
from rest_framework.exceptions import APIException, PermissionDenied
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import AnonRateThrottle
from rest_framework.views import APIView

from accounts.credentials import access_tokens
from accounts.credentials.credentials import Credentials
from accounts.credentials.jwt.keys import jwks
from accounts.credentials.jwt.tokens import MAX_LENGTH, InvalidToken
from accounts.credentials.principal import Caller
from accounts.models import Token
from accounts.models.token import NAME_LENGTH, TooManyTokens
from accounts.scopes import ALL, LABELS

KEYS_CACHED = 300  # seconds; a new key signs at once, and who does not know it asks again


class TokenRequest(serializers.Serializer):
    scopes = serializers.MultipleChoiceField(choices=list(LABELS.items()), default=ALL)
    name = serializers.CharField(max_length=NAME_LENGTH, default="A program")


class AccessToken(APIView):
    """Who is logged in gets an access and a refresh token. Who comes with an API token gets an access token made from
    it, to hand to somebody who is not to have the other."""

    def post(self, request: Request) -> Response:
        wishes = TokenRequest(data=request.data)
        wishes.is_valid(raise_exception=True)
        scopes = frozenset(wishes.validated_data["scopes"])
        if isinstance(request.auth, Caller):
            return _grant_response(access_tokens.grant(_api_token(request), scopes))
        try:
            return _grant_response(access_tokens.log_in(request.user, scopes, wishes.validated_data["name"]))
        except TooManyTokens as error:
            raise PermissionDenied(_problem("too_many_tokens", str(error), "Revoke one.")) from None


def _api_token(request: Request) -> Token:
    """Raises `PermissionDenied` for one that is itself an access token: it would never end."""
    token, _ = Token.find(Credentials.of_request(request._request).token or "", Token.Kind.API)
    if token is None:
        why = "An access token gets no other; its refresh token does."
        raise PermissionDenied(_problem("not_allowed", why, "Send the refresh token to /api/auth/refresh."))
    return token


class RefreshRequest(serializers.Serializer):
    refresh_token = serializers.CharField(max_length=MAX_LENGTH)


class RevokeRequest(serializers.Serializer):
    token = serializers.CharField(max_length=MAX_LENGTH)


class TokenRefused(APIException):
    status_code = 401


class RefreshThrottle(AnonRateThrottle):
    scope = "refresh"


class Refresh(APIView):
    """The refresh token is all that is needed, and holds once."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (RefreshThrottle,)

    def post(self, request: Request) -> Response:
        sent = RefreshRequest(data=request.data)
        sent.is_valid(raise_exception=True)
        try:
            return _grant_response(access_tokens.refresh(sent.validated_data["refresh_token"]))
        except InvalidToken as error:
            raise TokenRefused(_problem("not_authenticated", error.why, "Log in again.")) from None


class Revoke(APIView):
    """RFC 7009: whoever has a token may end it, and what was made from it. The answer tells nothing about the token."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (RefreshThrottle,)

    def post(self, request: Request) -> Response:
        sent = RevokeRequest(data=request.data)
        sent.is_valid(raise_exception=True)
        access_tokens.revoke(sent.validated_data["token"])
        return Response({})


def _grant_response(granted: access_tokens.TokenGrant) -> Response:
    told = {name: value for name, value in asdict(granted).items() if value is not None}
    return Response(told, headers={"Cache-Control": "no-store"})


def _problem(code: str, why: str, action: str) -> dict[str, Any]:
    return {"code": code, "what": "No token was made.", "why": why, "action": action}


@require_safe
@cache_control(public=True, max_age=KEYS_CACHED)
def keys(request: HttpRequest) -> JsonResponse:
    """The public halves of the keys that sign the site's tokens."""
    return JsonResponse(jwks())
