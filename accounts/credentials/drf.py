"""How REST framework knows who calls: by a token here; a browser's session is left to its own class, which also sees to
forged requests."""

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.credentials.credentials import Credentials, caller_of
from accounts.credentials.principal import AccessDenied, Caller, NotAuthenticated, approval_problem
from accounts.models import User


class TokenAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[User, Caller] | None:
        """The user and, as `request.auth`, the `Caller`."""
        credentials = Credentials.of_request(request._request)
        if credentials.token is None:
            return None
        try:
            caller = caller_of(credentials)
        except AccessDenied as refused:
            raise _denial(refused) from None
        return caller.user, caller

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


def _denial(refused: AccessDenied) -> APIException:
    kind = AuthenticationFailed if isinstance(refused, NotAuthenticated) else PermissionDenied
    return kind(refused.to_dict)


class IsApproved(BasePermission):
    message: dict[str, str] | None = None

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user.is_authenticated:
            return False
        if not request.user.is_approved:
            self.message = approval_problem(request.user)
        return self.message is None


class HasScope(IsApproved):
    """Also, where it is a token that calls, that it has the view's `scope`. A browser's session may do everything."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not super().has_permission(request, view):
            return False
        if isinstance(request.auth, Caller):
            try:
                request.auth.require(view.scope)
            except AccessDenied as refused:
                self.message = refused.to_dict
        return self.message is None
