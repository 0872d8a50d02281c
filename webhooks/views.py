"""Account pages for webhooks and their deliveries."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.credentials.throttling import WebhookThrottle
from accounts.credentials.user_request import UserRequest
from webhooks.forms import WebhookForm
from webhooks.models import Webhook

MAX_SHOWN = 50
TEST_EVENT = "webhook.test"


@require_http_methods(["GET", "POST"])
def webhooks(request: UserRequest) -> HttpResponse:
    form = WebhookForm(request.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        return redirect("webhook", form.save().pk)
    return render(request, "webhooks/list.html", {"form": form, "webhooks": request.user.webhooks.all()})


@require_safe
def webhook(request: UserRequest, pk: str) -> HttpResponse:
    webhook = get_object_or_404(request.user.webhooks, pk=pk)
    return render(
        request, "webhooks/detail.html", {"webhook": webhook, "deliveries": webhook.deliveries.all()[:MAX_SHOWN]}
    )


@require_POST
def test(request: UserRequest, pk: str) -> HttpResponse:
    """Send a test event."""
    webhook = get_object_or_404(request.user.webhooks, pk=pk)
    if _may_send(request):
        webhook.enqueue(TEST_EVENT, {"hello": str(request.user)})
        messages.success(request, "Test event sent. Reload this page to see the result.")
    return redirect("webhook", webhook.pk)


@require_POST
def retry(request: UserRequest, pk: str) -> HttpResponse:
    """Retry all pending and failed deliveries now."""
    webhook = get_object_or_404(request.user.webhooks, pk=pk)
    if _may_send(request):
        webhook.deliveries.filter(delivered_at=None).update(failed_at=None, next_at=timezone.now(), attempts=0)
        messages.success(request, "Undelivered events will be retried.")
    return redirect("webhook", webhook.pk)


def _may_send(request: UserRequest) -> bool:
    """Count one test or retry; above the limit, add an error message."""
    throttle = WebhookThrottle()
    if throttle.allow_request(request):
        return True
    limit = f"An account can send {throttle.num_requests} test events and retries per minute."
    messages.error(request, f"Nothing was sent. {limit} Try again in a minute.")
    return False


@require_POST
def delete(request: UserRequest, pk: str) -> HttpResponse:
    webhook: Webhook = get_object_or_404(request.user.webhooks, pk=pk)
    webhook.delete()
    messages.success(request, f"Webhook {webhook} deleted.")
    return redirect("webhooks")
