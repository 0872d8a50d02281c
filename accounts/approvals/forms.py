from django import forms

from accounts.models import REASON_LENGTH, User
from accounts.models.approval_state import Decision


class DecisionForm(forms.Form):
    """A decision about one or more accounts."""

    APPROVE, REJECT = "approve", "reject"

    decision = forms.ChoiceField(choices=[(APPROVE, "Approve"), (REJECT, "Reject")])
    users = forms.ModelMultipleChoiceField(
        queryset=User.objects.filter(is_active=True),
        error_messages={
            "required": "No accounts selected. Select at least one.",
            "invalid_choice": (
                "Nothing changed: an account no longer exists or is deactivated. Check the list and try again."
            ),
        },
    )
    reason = forms.CharField(required=False, max_length=REASON_LENGTH)

    def decide(self, by: User) -> Decision:
        users, reason = self.cleaned_data["users"], self.cleaned_data["reason"]
        if self.cleaned_data["decision"] == self.APPROVE:
            return users.approve(by, reason)
        return users.reject(by, reason)
