"""Forms for sign-up and password reset that don't reveal which addresses have an account."""

from typing import Any

from allauth.account.forms import ResetPasswordForm, SignupForm
from allauth.core import ratelimit
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from accounts.signup import invitations


class SignUpForm(SignupForm):
    def try_save(self, request: HttpRequest) -> Any:
        """With an address that has an account, do what another address causes: the invitation is used up, and a
        password is hashed, which takes time."""
        if self.account_already_exists:
            make_password(self.cleaned_data["password1"])
            invitations.discard(request)
        return super().try_save(request)


class PasswordResetForm(ResetPasswordForm):
    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        """Send the link, unless several were sent already. The response is the same: other clients' requests don't
        prevent a reset, because the links already sent work."""
        email: str = self.cleaned_data["email"]
        if ratelimit.consume(request, action="reset_password_email", key=email.lower()):
            super().save(request, **kwargs)
        return email
