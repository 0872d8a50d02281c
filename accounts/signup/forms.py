from datetime import timedelta

from django import forms

from accounts.models import Invitation, User


class InvitationForm(forms.Form):
    LIFETIMES = {"1": "1 day", "7": "7 days", "30": "30 days"}

    note = forms.CharField(
        label="Recipient",
        max_length=100,
        required=False,
        help_text="To recognize it later. Only administrators see it.",
    )
    days = forms.ChoiceField(choices=list(LIFETIMES.items()), initial="7", label="Expires in")

    def create(self, by: User) -> tuple[Invitation, str]:
        """Create the invitation. Returns it and its secret."""
        return Invitation.create(by, timedelta(days=int(self.cleaned_data["days"])), self.cleaned_data["note"])
