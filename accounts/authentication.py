"""How REST framework knows who calls: by a token here; a browser's session is left to its own class, which also sees to
forged requests."""

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from accounts.caller import Caller, NotAuthenticated, Refused
from accounts.credentials import Credentials, caller_of
from accounts.models import User


class TokenAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[User, Caller] | None:
        """The user and, as `request.auth`, the `Caller`."""
        credentials = Credentials.of_request(request._request)
        if credentials.token is None:
            return None
        try:
            caller = caller_of(credentials)
        except Refused as refused:
            raise _denial(refused) from None
        return caller.user, caller

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


def _denial(refused: Refused) -> APIException:
    kind = AuthenticationFailed if isinstance(refused, NotAuthenticated) else PermissionDenied
    return kind(refused.told)
