from datetime import timedelta

from django import forms

from accounts.models import Token, User
from accounts.models.token import NAME_LENGTH
from accounts.scopes import LABELS, STT, TTS


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
