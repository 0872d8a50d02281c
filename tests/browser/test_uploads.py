"""A recording is uploaded and becomes a session; another upload is canceled and leaves nothing behind."""

import pytest
from playwright.sync_api import expect

from tests.support.clients.api import wav_of
from tests.support.clients.uploads import wait_until_nothing_is_left
from tests.support.pages.page_actions import add_login
from tests.support.speech.checksum_audio import noise

MINUTE = 750  # frames


def entry(page, name):
    return page.get_by_role("list", name="Your uploads").get_by_role("listitem").filter(has_text=name)


@pytest.fixture
def send(tmp_path):
    def send(page, name, minutes):
        file = tmp_path / name
        file.write_bytes(wav_of(noise(minutes * MINUTE)))
        page.get_by_label("Choose recordings").set_input_files(file)

    return send


def test_a_recording_becomes_a_session_and_a_canceled_upload_leaves_nothing(shared_site, users, open_page, send):
    page = open_page(shared_site.url)
    add_login(page, shared_site, users.next())
    page.goto("/sessions/upload/")
    send(page, "By the river.wav", 1)
    done = entry(page, "By the river")
    expect(done.get_by_text("Done: 1:00")).to_be_visible(timeout=60_000)

    send(page, "secret.wav", 8)
    secret = entry(page, "secret.wav")
    expect(secret.get_by_text("Transcribed")).to_be_visible(timeout=60_000)
    secret.get_by_role("button", name="Cancel").click()
    expect(secret).to_be_hidden()
    wait_until_nothing_is_left(shared_site)

    done.get_by_role("link", name="Open the session").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("By the river")
    expect(page.locator(".word")).to_have_count(150)
    page.goto("/sessions/")
    expect(page.get_by_role("main")).not_to_contain_text("secret")
