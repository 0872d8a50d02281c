"""The Operations page, for administrators."""

from asgiref.sync import async_to_sync
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.approvals.views import admins_only
from accounts.credentials.user_request import UserRequest
from operations.report.overview import overview
from operations.report.process_report import END_STREAM
from speech.gateway.broadcast import broadcast


@require_safe
@admins_only
def operations(request: UserRequest) -> HttpResponse:
    """The whole page or, with `?state`, only the part that the open page refreshes."""
    template = "operations/state.html" if "state" in request.GET else "operations/page.html"
    return render(request, template, async_to_sync(overview)())


@require_POST
@admins_only
def end_stream(request: HttpRequest) -> HttpResponse:
    broadcast(END_STREAM, stream=request.POST.get("stream", ""))
    messages.success(request, "Stream ended. Everything up to that point is saved.")
    return redirect("operations")
