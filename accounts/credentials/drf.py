"""Authentication and permissions of the views of REST framework, by default of all.

They fail closed: a view accepts a token only if it declares in `scope` what the token needs, and authentication itself
counts the request against the account's rate limit, so that no view can omit it.
"""

from typing import Any

from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed, PermissionDenied, Throttled
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.credentials.credentials import Credentials
from accounts.credentials.principal import AccessDenied, Caller, NotAuthenticated, RateLimited, approval_problem
from accounts.credentials.throttling import ApiThrottle, BrowserThrottle, authenticate
from accounts.models import User
from accounts.scopes import BROWSER_ONLY


class TokenAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[User, Caller] | None:
        """Returns the user and the `Caller`, which becomes `request.auth`."""
        credentials = Credentials.of_request(request._request)
        if credentials.token is None:
            return None
        throttle = request.throttle = ApiThrottle()  # for the response's headers
        try:
            caller = authenticate(credentials, throttle)
        except AccessDenied as error:
            raise _api_exception(error) from None
        return caller.user, caller

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class BrowserAuthentication(SessionAuthentication):
    """A browser's login; also checks the CSRF token. `request.auth` is None."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        authenticated: tuple[User, None] | None = super().authenticate(request)
        if authenticated is None:
            return None
        throttle = request.throttle = BrowserThrottle()
        if not throttle.allow_request(request._request):
            raise Throttled(throttle.wait())
        return authenticated


def _api_exception(error: AccessDenied) -> APIException:
    if isinstance(error, RateLimited):
        return Throttled(error.wait)
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
    """Approved, and if a token is used, it has the view's `scope`. A view without one refuses every token. A browser's
    login has every scope."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not super().has_permission(request, view):
            return False
        if isinstance(request.successful_authenticator, BrowserAuthentication):
            return True
        if not isinstance(request.auth, Caller):
            return False
        try:
            request.auth.require(getattr(view, "scope", BROWSER_ONLY))
        except AccessDenied as error:
            self.message = error.to_dict()
        return self.message is None
