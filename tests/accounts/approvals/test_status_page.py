import json
import re

from django.test import Client

PAGE, JSON = "/accounts/status/", "/accounts/status.json"


def test_pending_users_see_that_approval_is_awaited(make_user, log_in):
    html = log_in(make_user()).get(PAGE).content.decode()
    assert "is awaiting approval" in html
    assert _config(html) == {"status": "pending", "poll": JSON, "app": "/live/"}


def test_without_javascript_the_page_reloads(make_user, log_in):
    assert '<noscript><meta http-equiv="refresh"' in log_in(make_user()).get(PAGE).content.decode()


def test_rejected_users_see_the_reason(make_user, log_in, admin):
    user = make_user()
    user.reject(admin, "Not one of <us>")
    html = log_in(user).get(PAGE).content.decode()
    assert "was not approved" in html
    assert "Not one of &lt;us&gt;" in html


def test_the_rejecting_administrator_is_not_shown(make_user, log_in, admin):
    user = make_user()
    user.reject(admin, "no")
    assert admin.email not in log_in(user).get(PAGE).content.decode()


def test_approved_users_are_redirected_to_the_app(make_user, log_in):
    assert log_in(make_user("approved")).get(PAGE).url == "/live/"


def test_the_json_follows_the_approval_status(make_user, log_in, admin):
    user = make_user()
    client = log_in(user)
    assert client.get(JSON).json() == {"status": "pending"}
    user.approve(admin)
    assert client.get(JSON).json() == {"status": "approved"}


def test_the_json_is_not_cached(make_user, log_in):
    assert "no-store" in log_in(make_user()).get(JSON)["Cache-Control"]


def test_anonymous_users_must_log_in(db):
    assert Client().get(PAGE).url == f"/accounts/login/?next={PAGE}"
    assert Client().get(JSON).url.startswith("/accounts/login/")


def _config(html: str) -> dict[str, str]:
    return json.loads(re.search(r'<script id="approval-status-config" type="application/json">(.*?)</script>', html)[1])
