from datetime import timedelta

from django import forms

from accounts.models import Invitation, User


class InvitationForm(forms.Form):
    LIFETIMES = {"1": "A day", "7": "A week", "30": "30 days"}

    note = forms.CharField(
        label="For whom", max_length=100, required=False, help_text="So that you know it again. Only admins read it."
    )
    days = forms.ChoiceField(choices=list(LIFETIMES.items()), initial="7", label="It holds for")

    def create(self, by: User) -> tuple[Invitation, str]:
        """The invitation and its secret."""
        return Invitation.create(by, timedelta(days=int(self.cleaned_data["days"])), self.cleaned_data["note"])
