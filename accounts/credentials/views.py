"""HTTP endpoints that issue, refresh and revoke tokens, and publish the signing keys."""

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
from rest_framework.views import APIView

from accounts.credentials import access_tokens
from accounts.credentials.credentials import Credentials
from accounts.credentials.jwt.keys import jwks
from accounts.credentials.jwt.tokens import MAX_LENGTH, InvalidToken
from accounts.credentials.principal import Caller
from accounts.credentials.throttling import RefreshThrottle
from accounts.models import Token
from accounts.models.token import NAME_LENGTH, TooManyTokens
from accounts.scopes import ANY_SCOPE, DEFAULT_SCOPES, LABELS

JWKS_MAX_AGE = 300  # seconds; clients that see an unknown key fetch the keys again


class TokenRequest(serializers.Serializer):
    scopes = serializers.MultipleChoiceField(choices=list(LABELS.items()), default=DEFAULT_SCOPES)
    name = serializers.CharField(max_length=NAME_LENGTH, default="App")


class AccessToken(APIView):
    """Issue an access and a refresh token to a logged-in user. A program with an API token gets an access token issued
    from it, to pass on to a client that must not have the API token."""

    scope = ANY_SCOPE  # of these, only an API token; the issued token has no more scopes than it

    def post(self, request: Request) -> Response:
        options = TokenRequest(data=request.data)
        options.is_valid(raise_exception=True)
        scopes = frozenset(options.validated_data["scopes"])
        if isinstance(request.auth, Caller):
            return _grant_response(access_tokens.grant(_api_token(request), scopes))
        try:
            return _grant_response(access_tokens.log_in(request.user, scopes, options.validated_data["name"]))
        except TooManyTokens as error:
            raise PermissionDenied(_problem("too_many_tokens", str(error), "Revoke one first.")) from None


def _api_token(request: Request) -> Token:
    """The caller's API token. Raises `PermissionDenied` for an access token, which could renew itself forever."""
    token, _ = Token.find(Credentials.of_request(request._request).token or "", Token.Kind.API)
    if token is None:
        why = "An access token can't request another one; use its refresh token."
        raise PermissionDenied(_problem("not_allowed", why, "Send the refresh token to /api/auth/refresh."))
    return token


class RefreshRequest(serializers.Serializer):
    refresh_token = serializers.CharField(max_length=MAX_LENGTH)


class RevokeRequest(serializers.Serializer):
    token = serializers.CharField(max_length=MAX_LENGTH)


class TokenRefused(APIException):
    status_code = 401


class Refresh(APIView):
    """Issue new tokens. Requires only a refresh token, which can be used once."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (RefreshThrottle,)

    def post(self, request: Request) -> Response:
        form = RefreshRequest(data=request.data)
        form.is_valid(raise_exception=True)
        try:
            return _grant_response(access_tokens.refresh(form.validated_data["refresh_token"]))
        except InvalidToken as error:
            raise TokenRefused(_problem("not_authenticated", error.why, "Log in again.")) from None


class Revoke(APIView):
    """Revoke a token and everything issued from it, but not what it was issued from (RFC 7009). The response reveals
    nothing about the token."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (RefreshThrottle,)

    def post(self, request: Request) -> Response:
        form = RevokeRequest(data=request.data)
        form.is_valid(raise_exception=True)
        access_tokens.revoke(form.validated_data["token"])
        return Response({})


def _grant_response(grant: access_tokens.TokenGrant) -> Response:
    body = {name: value for name, value in asdict(grant).items() if value is not None}
    return Response(body)


def _problem(code: str, why: str, action: str) -> dict[str, Any]:
    return {"code": code, "what": "No token issued.", "why": why, "action": action}


@require_safe
@cache_control(public=True, max_age=JWKS_MAX_AGE)
def keys(request: HttpRequest) -> JsonResponse:
    """The public keys that verify the site's tokens."""
    return JsonResponse(jwks())
