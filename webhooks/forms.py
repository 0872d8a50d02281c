from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings

from accounts.models import User
from webhooks.models import URL_LENGTH, WEBHOOKS_PER_USER, Event, Webhook


def events_for(user: User) -> list[tuple[str, str]]:
    return [choice for choice in Event.choices if user.is_admin or choice[0] != Event.USER_PENDING]


def clean_address(url: str) -> str:
    """Raises `ValidationError`. Where it leads is looked at when something is sent there."""
    if urlsplit(url).scheme != "https" and not settings.WEBHOOKS_TO_PRIVATE_ADDRESSES:
        raise forms.ValidationError("The address must begin with https://, or everybody on the way could read along.")
    if urlsplit(url).username:
        raise forms.ValidationError("The address may have no user and no password; signatures say who sends.")
    return url


class WebhookForm(forms.Form):
    url = forms.URLField(label="Address", max_length=URL_LENGTH, assume_scheme="https")
    events = forms.MultipleChoiceField(label="Tell it", widget=forms.CheckboxSelectMultiple)

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user = user
        self.fields["events"].choices = events_for(user)  # type: ignore[attr-defined]

    def clean_url(self) -> str:
        return clean_address(self.cleaned_data["url"])

    def clean(self) -> dict[str, Any] | None:
        if self._user.webhooks.count() >= WEBHOOKS_PER_USER:
            raise forms.ValidationError(f"An account has {WEBHOOKS_PER_USER} webhooks at most. Delete one first.")
        return super().clean()

    def save(self) -> Webhook:
        return Webhook.objects.create(owner=self._user, **self.cleaned_data)
