from datetime import timedelta

from django import forms

from accounts.models import Token, User
from accounts.models.token import NAME_LENGTH
from accounts.scopes import LABELS


class TokenForm(forms.Form):
    """A new API token."""

    LIFETIMES = {"30": "30 days", "90": "90 days", "365": "A year", "": "No end"}

    name = forms.CharField(max_length=NAME_LENGTH, help_text="What will use it, so that you know it again.")
    scopes = forms.MultipleChoiceField(
        choices=list(LABELS.items()),
        widget=forms.CheckboxSelectMultiple,
        initial=list(LABELS),
        label="It may",
        error_messages={"required": "Tick at least one: a token that may do nothing is of no use."},
    )
    days = forms.ChoiceField(choices=list(LIFETIMES.items()), required=False, initial="90", label="It holds for")

    def create(self, user: User) -> tuple[Token, str]:
        """The token and its text. Raises `TooManyTokens`."""
        days = self.cleaned_data["days"]
        lifetime = timedelta(days=int(days)) if days else None
        scopes = frozenset(self.cleaned_data["scopes"])
        return Token.create(user, Token.Kind.API, self.cleaned_data["name"], scopes, lifetime)
