from django import forms

from accounts.models import REASON_LENGTH, User
from accounts.models.approval_state import Decision


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
