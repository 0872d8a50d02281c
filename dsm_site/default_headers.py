"""Headers that every response of the site gets, unless its view has set them.

`Cache-Control: no-store` keeps private pages out of caches and out of the browser's Back after a logout. Only responses
that declare themselves `public` are exempt: static files and the public keys.
"""

from asyncio import iscoroutinefunction
from collections.abc import Awaitable, Callable
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

NO_STORE = "no-store"
USED_FEATURES = (
    *("autoplay", "clipboard-write", "display-capture", "fullscreen", "microphone", "screen-wake-lock"),
    *("publickey-credentials-create", "publickey-credentials-get", "speaker-selection"),
)
"""Features of browsers that the site's own pages use; passkeys are public-key credentials."""
UNUSED_FEATURES = (
    *("accelerometer", "browsing-topics", "camera", "captured-surface-control", "clipboard-read", "compute-pressure"),
    *("cross-origin-isolated", "encrypted-media", "gamepad", "geolocation", "gyroscope", "hid", "idle-detection"),
    *("identity-credentials-get", "keyboard-map", "local-fonts", "magnetometer", "midi", "otp-credentials", "payment"),
    *("picture-in-picture", "serial", "storage-access", "sync-xhr", "usb", "window-management"),
    "xr-spatial-tracking",
)
"""The other features that browsers have had for some time; of a newer name, older ones warn in their console."""
HEADERS = {
    "Permissions-Policy": ", ".join(
        [*(f"{name}=(self)" for name in USED_FEATURES), *(f"{name}=()" for name in UNUSED_FEATURES)]
    ),
    "Cross-Origin-Resource-Policy": "same-origin",  # doesn't apply to requests that CORS_ALLOWED_ORIGINS allows
}


@sync_and_async_middleware
def default_headers(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Outermost middleware, so that responses of all others have the headers, too."""
    if iscoroutinefunction(get_response):
        get_response_async: Callable[[HttpRequest], Awaitable[HttpResponseBase]] = get_response

        async def middleware_async(request: HttpRequest) -> HttpResponseBase:
            return _with_headers(await get_response_async(request))

        return middleware_async

    def middleware(request: HttpRequest) -> HttpResponseBase:
        return _with_headers(get_response(request))

    return middleware


def _with_headers(response: HttpResponseBase) -> HttpResponseBase:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    directives = {each.strip() for each in response.headers.get("Cache-Control", "").lower().split(",")}
    if not directives & {"public", NO_STORE}:
        response.headers["Cache-Control"] = NO_STORE
    return response
