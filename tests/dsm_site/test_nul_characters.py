"""NUL characters, which PostgreSQL can neither store nor search for."""

import pytest
from django.test import Client

from tests.support.speech.sessions import create_session, create_user

pytestmark = pytest.mark.usefixtures("either_database")


@pytest.fixture
def owner():
    return create_user()


@pytest.fixture
def pages(owner):
    client = Client()
    client.force_login(owner)
    return client


@pytest.mark.parametrize(
    "url",
    [
        "/shared/%00/",
        "/accounts/invited/a%00b/",
        "/static/%00",
        "/sessions/?tag=%00",
        "/sessions/?q=a%00b",
        "/accounts/approvals/?q=%00",
        "/?%00=1",
    ],
)
def test_a_url_gets_an_error_page(pages, url):
    response = pages.get(url)
    assert response.status_code == 400
    assert "The server can't read this request" in response.content.decode()


def test_the_apis_answer_in_json(pages):
    response = pages.get("/api/v1/sessions/?q=%00")
    assert (response.status_code, response.json()["code"]) == (400, "bad_request")


def test_a_session_cookie_is_rejected_before_it_is_looked_up():
    client = Client()
    client.cookies["sessionid"] = "12345678\0"
    assert client.get("/sessions/").status_code == 400


def test_nothing_of_a_form_is_stored(pages, owner):
    session = create_session(owner, "hello there")
    url = f"/sessions/{session.pk}/segments/{session.segments.get().pk}/"
    assert pages.post(url, {"do": "text", "text": "a\0b"}).status_code == 400
    assert pages.post(f"/sessions/{session.pk}/replace/", {"find": "hello", "replace": "\0"}).status_code == 400
    assert pages.post("/sessions/bulk/", {"session": session.pk, "do": "tag", "tag": "\0"}).status_code == 400
    assert not session.corrections.exists()
