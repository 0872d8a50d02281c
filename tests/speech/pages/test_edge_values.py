"""Numbers and dates in URLs and forms that are too large for a database, or for a calendar."""

from itertools import product

import pytest
from django.test import Client
from django.utils import timezone

from tests.support.speech.sessions import create_session, create_user

pytestmark = pytest.mark.usefixtures("either_database")

HUGE = ["9" * 19, "9" * 40, "9" * 4_000, "9" * 5_000]
DAYS = ["0001-01-01", "9999-12-31"]
ZONES = ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"]  # 14 hours ahead, 11 behind


@pytest.fixture
def owner():
    return create_user()


@pytest.fixture
def session(owner):
    return create_session(owner, "hello there", "in the garden")


@pytest.fixture
def pages(owner):
    client = Client()
    client.force_login(owner)
    return client


def test_a_huge_number_in_a_query_is_no_error(pages, session):
    for number in HUGE:
        for query in (f"page={number}", f"q=hello&before={number}", f"q=hello&before=0{number}", f"page=-{number}"):
            assert pages.get(f"/sessions/?{query}").status_code == 200, query
        assert pages.get(f"/api/v1/sessions/{session.pk}/words/?first={number}").status_code in (200, 400), number
        assert pages.get(f"/api/v1/sessions/?page={number}").status_code in (200, 400, 404), number
        assert pages.get(f"/sessions/{session.pk}/audio.wav?samples={number}").status_code == 404, number


def test_a_huge_number_in_a_url_is_not_found(pages, session):
    for number in HUGE:
        for path in (f"segments/{number}/", f"corrections/{number}/undo/", f"share/{number}/revoke/"):
            assert pages.post(f"/sessions/{session.pk}/{path}", {"do": "merge"}).status_code == 404, path
        assert pages.get(f"/api/v1/personas/{number}/").status_code == 404, number


def test_a_huge_number_in_a_form_gets_an_error_message(pages, session):
    url = f"/sessions/{session.pk}"
    for number in (*HUGE, "-1", "1.5", "x", "²"):
        response = pages.post(f"{url}/segments/{session.segments.first().pk}/", {"do": "split", "word": number})
        assert response.status_code == 400, number
        assert len(response.json()["what"]) < 200
        assert pages.post(f"{url}/details/", {"retention": "days", "days": number}).status_code == 302, number
        assert pages.post(f"{url}/share/", {"days": number}).status_code == 302, number
        session.refresh_from_db()
        assert session.expires_at is None, number
        assert not session.shares.exists(), number


def test_the_list_can_be_filtered_by_the_first_and_the_last_day_of_the_calendar(pages, session):
    first, last = DAYS
    for zone, (query, is_listed) in product(
        ZONES, ((f"since={first}&until={last}", True), (f"since={last}", False), (f"until={first}", False))
    ):
        with timezone.override(zone):
            page = pages.get(f"/sessions/?{query}")
        assert page.status_code == 200, (zone, query)
        assert (str(session.pk) in page.content.decode()) is is_listed, (zone, query)


MOMENTS = [
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-11:00",
    "2020-13-45T00:00",
    "2020-01-01T00:00",
    "x",
    "",
]


def test_an_undo_of_a_deletion_at_no_possible_time_restores_nothing(pages):
    for moment in MOMENTS:
        page = pages.post("/sessions/undo/", {"at": moment}, follow=True).content.decode()
        assert "Couldn&#x27;t restore" in page, moment


def test_broken_utf_8_is_no_error(pages, session):
    for url in ("/sessions/?q=%ed%a0%80", "/sessions/?tag=%ff%fe", "/shared/%ed%a0%80/"):
        assert pages.get(url).status_code in (200, 404)
    form = b"do=text&text=a%ed%a0%80b"
    url = f"/sessions/{session.pk}/segments/{session.segments.first().pk}/"
    response = pages.post(url, form, content_type="application/x-www-form-urlencoded")
    assert response.status_code == 200
    assert "\ufffd" in session.segments.current()[0].text
