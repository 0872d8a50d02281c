"""The reader's time zone: that of their account, which a browser sets first, or that of a visitor's browser."""

from datetime import datetime, timedelta, tzinfo
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.deprecation import MiddlewareMixin

COOKIE = "time_zone"
"""The browser's time zone, which `static/js/pages/time-zone.js` stores."""
NAME_LENGTH = 64  # characters


@cache
def names() -> list[str]:
    """IANA names, such as “America/New_York”. Empty on a machine without a database of time zones."""
    copies = ("posix/", "right/", "SystemV/")
    return sorted(
        name for name in available_timezones() if name == "UTC" or ("/" in name and not name.startswith(copies))
    )


def zone_named(name: str) -> tzinfo:
    """The time zone; that of the site if there is none with this name."""
    return ZoneInfo(name) if name in names() else timezone.get_default_timezone()


def named_time(moment: datetime) -> str:
    """The time in its own zone, with the zone: “2026-11-01 01:30 EDT (UTC−4)”."""
    return f"{moment:%Y-%m-%d %H:%M} {_zone_name(moment)}"


def _zone_name(moment: datetime) -> str:
    name, minutes = moment.tzname() or "UTC", round((moment.utcoffset() or timedelta()).total_seconds() / 60)
    hour, minute = divmod(abs(minutes), 60)
    offset = f"UTC{'−' if minutes < 0 else '+'}{hour}" + (f":{minute:02}" if minute else "")
    if name == "UTC":
        return name
    return f"{name} ({offset})" if name[0].isalpha() else offset


class TimeZoneMiddleware(MiddlewareMixin):
    """Shows the times of pages in the reader's time zone. Must follow Django's AuthenticationMiddleware."""

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        is_api = getattr(view, "csrf_exempt", False)
        if is_api:
            return
        name, user = request.COOKIES.get(COOKIE, ""), request.user
        if user.is_authenticated:
            if not user.time_zone and name in names():
                user.time_zone = name
                user.save(update_fields=["time_zone"])
            name = user.time_zone
        timezone.activate(zone_named(name))

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        timezone.deactivate()
        return response
