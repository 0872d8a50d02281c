"""Authentication and permissions of the REST API. Browser logins are left to REST framework's own class, which also
checks CSRF tokens."""

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
        """Returns the user and the `Caller`, which becomes `request.auth`."""
        credentials = Credentials.of_request(request._request)
        if credentials.token is None:
            return None
        try:
            caller = caller_of(credentials)
        except AccessDenied as error:
            raise _api_exception(error) from None
        return caller.user, caller

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


def _api_exception(error: AccessDenied) -> APIException:
    exception = AuthenticationFailed if isinstance(error, NotAuthenticated) else PermissionDenied
    return exception(error.to_dict())


class IsApproved(BasePermission):
    message: dict[str, str] | None = None

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user.is_authenticated:
            return False
        if not request.user.is_approved:
            self.message = approval_problem(request.user)
        return self.message is None


class HasScope(IsApproved):
    """Approved, and if a token is used, it has the view's `scope`. A browser login has every scope."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not super().has_permission(request, view):
            return False
        if isinstance(request.auth, Caller):
            try:
                request.auth.require(view.scope)
            except AccessDenied as error:
                self.message = error.to_dict()
        return self.message is None
