"""A spoken conversation: real speech and engines, a scripted language model behind OpenAI's API."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.pages.page_actions import add_login
from tests.support.servers.language_model import running_language_model
from tests.support.servers.language_model_script import Reply
from tests.support.servers.site import running_site
from tests.support.speech.microphone import microphone_file

FRANCE = "The capital of France is Paris."
ITALY = "The capital of Italy is Rome, which is also its largest city, and has been its capital for a very long time."


@pytest.fixture
def model():
    def script(request):
        return Reply(ITALY if "Italy" in request.messages[-1][1] else FRANCE)

    with running_language_model(script=script) as server:
        yield server


@pytest.fixture
def site(tmp_path, model):
    env = {"TTS_ENGINE": "piper", "LLM_URL": model.url, "LLM_MODEL": "scripted", "RATE_LIMITS": "off"}
    with running_site(tmp_path, **env) as site:
        yield site


def test_a_question_is_answered_aloud_and_a_typed_one_interrupted(site, model, tmp_path, open_page):
    microphone = microphone_file(tmp_path / "question.wav", 1.5, "What is the capital of France?", 60.0)
    page = open_page(site.url, microphone=microphone)
    add_login(page, site, "ada@example.org")
    page.goto("/live/")
    page.get_by_role("link", name="Talk", exact=True).click()
    expect(page).to_have_url(f"{site.url}/talk/")
    talk, captions = page.locator("#talk"), page.get_by_role("log", name="Conversation")
    page.get_by_role("button", name="Start", exact=True).click()

    expect(captions).to_contain_text(re.compile(r"capital of France\?", re.IGNORECASE))
    expect(captions).to_contain_text(FRANCE)  # caption words appear when they are played
    expect(talk).to_have_attribute("data-state", "listening")
    assert page.get_by_text("Replied after").is_visible()

    page.get_by_label("Type instead of talking").fill("And of Italy?")
    page.get_by_role("button", name="Send").click()
    expect(captions).to_contain_text("capital of Italy is Rome,")
    page.keyboard.press("Escape")
    expect(talk).to_have_attribute("data-state", "listening")
    expect(captions).to_contain_text(re.compile(r"Italy.*—"))
    expect(captions).not_to_contain_text("long time")

    page.get_by_role("button", name="End", exact=True).click()
    page.get_by_role("link", name="Open the session").click()
    expect(page.get_by_role("main")).to_contain_text(FRANCE)
    expect(page.get_by_role("main")).to_contain_text("And of Italy?")
    assert model.requests[-1].messages[-3:][1][1] == FRANCE
