import json
import re

from django.test import Client

PAGE, JSON = "/accounts/standing/", "/accounts/standing.json"


def test_the_pending_see_that_they_wait(make_user, log_in):
    html = log_in(make_user()).get(PAGE).content.decode()
    assert "waits for approval" in html
    assert _config(html) == {"status": "pending", "poll": JSON, "app": "/live/"}


def test_without_javascript_the_page_reloads(make_user, log_in):
    assert '<noscript><meta http-equiv="refresh"' in log_in(make_user()).get(PAGE).content.decode()


def test_the_rejected_read_why(make_user, log_in, admin):
    user = make_user()
    user.reject(admin, "Not one of <us>")
    html = log_in(user).get(PAGE).content.decode()
    assert "was not approved" in html
    assert "Not one of &lt;us&gt;" in html


def test_who_rejected_is_not_said(make_user, log_in, admin):
    user = make_user()
    user.reject(admin, "no")
    assert admin.email not in log_in(user).get(PAGE).content.decode()


def test_the_approved_go_on_to_the_app(make_user, log_in):
    assert log_in(make_user("approved")).get(PAGE).url == "/live/"


def test_the_page_turns_into_the_app_when_the_poll_says_so(make_user, log_in, admin):
    user = make_user()
    client = log_in(user)
    assert client.get(JSON).json() == {"status": "pending"}
    user.approve(admin)
    assert client.get(JSON).json() == {"status": "approved"}


def test_no_cache_keeps_the_answer(make_user, log_in):
    assert "no-store" in log_in(make_user()).get(JSON)["Cache-Control"]


def test_the_anonymous_log_in_first(db):
    assert Client().get(PAGE).url == f"/accounts/login/?next={PAGE}"
    assert Client().get(JSON).url.startswith("/accounts/login/")


def _config(html: str) -> dict[str, str]:
    return json.loads(re.search(r'<script id="standing-config" type="application/json">(.*?)</script>', html)[1])
