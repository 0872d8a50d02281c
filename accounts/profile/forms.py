from datetime import timedelta

from allauth.account.forms import ChangePasswordForm
from django import forms
from django.db import transaction

from accounts.models import Token, User
from accounts.models.token import NAME_LENGTH
from accounts.scopes import LABELS, STT, TTS


class PasswordForm(ChangePasswordForm):
    """A new password ends all other logins and, by default, all tokens."""

    keeps_tokens = forms.BooleanField(
        required=False,
        label="Keep API tokens valid",
        help_text="Programs and apps with a token keep access. Leave this off if someone else may know your password.",
    )

    def save(self) -> None:
        user: User = self.user
        with transaction.atomic():
            epoch = user.credentials_epoch
            # A decision in between has ended the tokens, and they are not restored.
            is_current = User.objects.select_for_update().filter(pk=user.pk, credentials_epoch=epoch).exists()
            super().save()
            if self.cleaned_data["keeps_tokens"] and is_current:
                Token.objects.of(user).filter(epoch=epoch).update(epoch=user.credentials_epoch)


class TokenForm(forms.Form):
    """Creates an API token."""

    LIFETIMES = {"30": "30 days", "90": "90 days", "365": "1 year", "": "Never"}

    name = forms.CharField(max_length=NAME_LENGTH, help_text="What will use the token.")
    scopes = forms.MultipleChoiceField(
        choices=list(LABELS.items()),
        widget=forms.CheckboxSelectMultiple,
        initial=[STT, TTS],
        label="Scopes",
        error_messages={"required": "Select at least one scope."},
    )
    days = forms.ChoiceField(choices=list(LIFETIMES.items()), required=False, initial="90", label="Expires in")

    def create(self, user: User) -> tuple[Token, str]:
        """The token and its text. Raises `TooManyTokens`."""
        days = self.cleaned_data["days"]
        lifetime = timedelta(days=int(days)) if days else None
        scopes = frozenset(self.cleaned_data["scopes"])
        return Token.create(user, Token.Kind.API, self.cleaned_data["name"], scopes, lifetime)
