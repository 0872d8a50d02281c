"""Downloads of one transcript or many."""

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.credentials.user_request import UserRequest
from speech.library.exports import FORMATS, Options
from speech.library.exports.responses import download, download_many
from speech.library.one_at_a_time import Busy
from speech.models import Session


@require_safe
def transcript(request: UserRequest, pk: str, extension: str) -> HttpResponseBase:
    if extension not in FORMATS:
        raise Http404(f"Unknown format {extension}.")
    session = get_object_or_404(Session.objects.of(request.user).started(), pk=pk)
    return download(session, FORMATS[extension], Options.of(request.GET))


class BulkDownloadForm(forms.Form):
    format = forms.ChoiceField(choices=[(extension, format.label) for extension, format in FORMATS.items()])
    which = forms.ChoiceField(choices=[("selected", "Selected"), ("all", "All")], required=False)

    def __init__(self, sessions: QuerySet[Session], data: QueryDict) -> None:
        super().__init__(data)
        self._sessions = sessions
        self.fields["session"] = forms.ModelMultipleChoiceField(queryset=sessions, required=False)

    def selected(self) -> QuerySet[Session]:
        return self._sessions if self.cleaned_data["which"] == "all" else self.cleaned_data["session"]


@require_POST
def transcripts(request: UserRequest) -> HttpResponseBase:
    form = BulkDownloadForm(Session.objects.of(request.user).started().select_related("owner"), request.POST)
    if not form.is_valid() or not form.selected():
        messages.error(request, "No sessions selected. Select the sessions to download first.")
        return redirect("sessions")
    name = f"sessions-{timezone.localdate()}"
    format = FORMATS[form.cleaned_data["format"]]
    try:
        return download_many(request.user, list(form.selected()), format, Options.of(request.POST), name)
    except Busy:
        messages.error(request, "You are downloading another archive. Try again when it is finished.")
        return redirect("sessions")
