from datetime import timedelta

from django import forms

from accounts.models import REASON_LENGTH, Invitation, Token, User
from accounts.models.token import NAME_LENGTH
from accounts.scopes import LABELS
from accounts.standing import Decision


class DecisionForm(forms.Form):
    """One decision on one account or many."""

    APPROVE, REJECT = "approve", "reject"

    decision = forms.ChoiceField(choices=[(APPROVE, "Approve"), (REJECT, "Reject")])
    users = forms.ModelMultipleChoiceField(
        queryset=User.objects.all(),
        error_messages={
            "required": "Nothing was decided: no account is ticked. Tick at least one.",
            "invalid_choice": "Nothing was decided: one of the accounts is gone. Look at the list again.",
        },
    )
    reason = forms.CharField(required=False, max_length=REASON_LENGTH)

    def decide(self, by: User) -> Decision:
        users, reason = self.cleaned_data["users"], self.cleaned_data["reason"]
        if self.cleaned_data["decision"] == self.APPROVE:
            return users.approve(by, reason)
        return users.reject(by, reason)


class InvitationForm(forms.Form):
    LIFETIMES = {"1": "A day", "7": "A week", "30": "30 days"}

    note = forms.CharField(
        label="For whom", max_length=100, required=False, help_text="So that you know it again. Only admins read it."
    )
    days = forms.ChoiceField(choices=list(LIFETIMES.items()), initial="7", label="It holds for")

    def make(self, by: User) -> tuple[Invitation, str]:
        """The invitation and its secret."""
        return Invitation.make(by, timedelta(days=int(self.cleaned_data["days"])), self.cleaned_data["note"])


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

    def make(self, user: User) -> tuple[Token, str]:
        """The token and its text. Raises `TooManyTokens`."""
        days = self.cleaned_data["days"]
        lifetime = timedelta(days=int(days)) if days else None
        scopes = frozenset(self.cleaned_data["scopes"])
        return Token.make(user, Token.Kind.API, self.cleaned_data["name"], scopes, lifetime)
