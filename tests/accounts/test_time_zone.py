"""Times are shown in the reader's time zone, which is named."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from accounts.time_zone import named_time, names, zone_named


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("America/New_York", "2026-11-01 01:30 EDT (UTC−4)"),
        ("Europe/Paris", "2026-11-01 06:30 CET (UTC+1)"),
        ("Asia/Kathmandu", "2026-11-01 11:15 UTC+5:45"),
        ("America/Sao_Paulo", "2026-11-01 02:30 UTC−3"),
        ("UTC", "2026-11-01 05:30 UTC"),
    ],
)
def test_a_time_names_its_zone(zone, expected):
    assert named_time(datetime(2026, 11, 1, 5, 30, tzinfo=UTC).astimezone(ZoneInfo(zone))) == expected


def test_the_repeated_hour_is_not_ambiguous():
    first, second = (
        datetime(2026, 11, 1, hour, 30, tzinfo=UTC).astimezone(ZoneInfo("America/New_York")) for hour in (5, 6)
    )
    assert (named_time(first), named_time(second)) == ("2026-11-01 01:30 EDT (UTC−4)", "2026-11-01 01:30 EST (UTC−5)")


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../../etc/passwd", "posixrules", "posix/UTC", "x" * 5000])
def test_an_unknown_zone_is_that_of_the_site(name, settings):
    settings.TIME_ZONE = "Asia/Tokyo"
    assert zone_named(name) == ZoneInfo("Asia/Tokyo")
    assert name not in names()


def test_the_first_browser_sets_the_zone_of_an_account_and_the_user_can_change_it(make_user, log_in):
    user = make_user("approved")
    client = log_in(user)
    client.cookies["time_zone"] = "Mars/Olympus"
    client.get("/accounts/")
    user.refresh_from_db()
    assert user.time_zone == ""
    client.cookies["time_zone"] = "America/New_York"
    assert 'value="America/New_York" selected' in client.get("/accounts/").content.decode()
    client.cookies["time_zone"] = "Europe/Paris"
    client.get("/accounts/")
    user.refresh_from_db()
    assert user.time_zone == "America/New_York"
    client.post("/accounts/", {"name": "Ada", "time_zone": "Asia/Tokyo"})
    user.refresh_from_db()
    assert (user.name, user.time_zone) == ("Ada", "Asia/Tokyo")


def test_a_zone_that_does_not_exist_is_not_saved(make_user, log_in):
    user = make_user("approved")
    assert log_in(user).post("/accounts/", {"name": "Ada", "time_zone": "Mars/Olympus"}).status_code == 200
    user.refresh_from_db()
    assert (user.name, user.time_zone) == ("", "")


def test_one_request_does_not_change_the_zone_of_the_next(make_user, log_in):
    client = log_in(make_user("approved"))
    client.cookies["time_zone"] = "America/New_York"
    client.get("/accounts/")
    assert timezone.get_current_timezone_name() == "UTC"
    assert Client().get("/accounts/login/").status_code == 200
