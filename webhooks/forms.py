from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings

from accounts.models import User
from webhooks.models import MAX_URL_LENGTH, MAX_WEBHOOKS_PER_USER, Event, Webhook


def events_for(user: User) -> list[tuple[str, str]]:
    return [choice for choice in Event.choices if user.is_admin or choice[0] != Event.USER_PENDING]


def clean_url(url: str) -> str:
    """Check scheme and credentials; the host is checked at each delivery. Raises `ValidationError`."""
    if urlsplit(url).scheme != "https" and not settings.WEBHOOKS_TO_PRIVATE_ADDRESSES:
        raise forms.ValidationError("The URL must start with https:// so that deliveries are encrypted.")
    if urlsplit(url).username:
        raise forms.ValidationError("The URL can't contain a user name or password; use the signature instead.")
    return url


class WebhookForm(forms.Form):
    url = forms.URLField(label="URL", max_length=MAX_URL_LENGTH, assume_scheme="https")
    events = forms.MultipleChoiceField(label="Events", widget=forms.CheckboxSelectMultiple)

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user = user
        self.fields["events"].choices = events_for(user)  # type: ignore[attr-defined]

    def clean_url(self) -> str:
        return clean_url(self.cleaned_data["url"])

    def clean(self) -> dict[str, Any] | None:
        if self._user.webhooks.count() >= MAX_WEBHOOKS_PER_USER:
            raise forms.ValidationError(f"The limit is {MAX_WEBHOOKS_PER_USER} webhooks per account. Delete one first.")
        return super().clean()

    def save(self) -> Webhook:
        return Webhook.objects.create(owner=self._user, **self.cleaned_data)
