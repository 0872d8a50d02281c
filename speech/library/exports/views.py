"""Downloads: a session's transcript, or those of many."""

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
from speech.models import Session


@require_safe
def transcript(request: UserRequest, pk: str, extension: str) -> HttpResponseBase:
    if extension not in FORMATS:
        raise Http404(f"There is no format {extension}.")
    session = get_object_or_404(Session.objects.of(request.user).begun(), pk=pk)
    return download(session, FORMATS[extension], Options.of(request.GET))


class ManyForm(forms.Form):
    format = forms.ChoiceField(choices=[(extension, format.label) for extension, format in FORMATS.items()])
    which = forms.ChoiceField(choices=[("ticked", "The ticked ones"), ("all", "All of them")], required=False)

    def __init__(self, mine: QuerySet[Session], data: QueryDict) -> None:
        super().__init__(data)
        self._mine = mine
        self.fields["session"] = forms.ModelMultipleChoiceField(queryset=mine, required=False)

    def chosen(self) -> QuerySet[Session]:
        return self._mine if self.cleaned_data["which"] == "all" else self.cleaned_data["session"]


@require_POST
def transcripts(request: UserRequest) -> HttpResponseBase:
    form = ManyForm(Session.objects.of(request.user).begun(), request.POST)
    if not form.is_valid() or not form.chosen():
        messages.error(request, "Nothing was downloaded: tick the sessions that you want first.")
        return redirect("sessions")
    name = f"sessions-{timezone.localdate()}"
    format = FORMATS[form.cleaned_data["format"]]
    return download_many(list(form.chosen()), format, Options.of(request.POST), name)
