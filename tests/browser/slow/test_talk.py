"""Conversations in a real browser: the demo model, and failures in the middle of a reply."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.pages.flaky_network import FlakyNetwork
from tests.support.pages.page_actions import sign_up
from tests.support.servers.language_model import running_language_model
from tests.support.servers.language_model_script import Reply
from tests.support.speech.microphone import microphone_file

pytestmark = pytest.mark.slow

STORY = " ".join(f"Sentence number {number} of a story that has many of them." for number in range(1, 20))
LOST_NETWORK = ["WebSocket", "Failed to load", "ERR_"]


@pytest.fixture
def model():
    """Tells a story if it is asked for one, otherwise echoes."""

    def script(request):
        text = request.messages[-1][1]
        return Reply(STORY if "story" in text else f"You said: {text}")

    with running_language_model(script=script) as server:
        yield server


@pytest.fixture
def microphone(tmp_path):
    """Silence: the turns are typed."""
    return microphone_file(tmp_path / "silence.wav", 120.0)


def captions(page):
    return page.get_by_role("log", name="Conversation")


def say(page, text):
    page.get_by_label("Type instead of talking").fill(text)
    page.get_by_role("button", name="Send").click()


def start_story(page):
    sign_up(page, "ada@example.org")
    page.goto("/talk/")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator("#talk")).to_have_attribute("data-state", "listening")
    say(page, "Tell me a story.")
    expect(captions(page)).to_contain_text("Sentence number 1 of")


def contents(model):
    return [content for _, content in model.requests[-1].messages]


def test_the_demo_model_answers_a_spoken_question(start_site, tmp_path, open_page):
    microphone = microphone_file(tmp_path / "question.wav", 1.5, "What is the capital of France?", 120.0)
    page = open_page(start_site(TTS_ENGINE="piper").url, microphone=microphone)
    sign_up(page, "ada@example.org")
    page.goto("/talk/")
    expect(page.get_by_text("This is a small demo model")).to_be_visible()
    page.get_by_role("button", name="Start", exact=True).click()
    expect(captions(page)).to_contain_text(re.compile(r"capital of France\?.*Paris", re.IGNORECASE | re.DOTALL))


def test_a_conversation_continues_with_its_memory_after_a_reload(start_site, model, microphone, open_page):
    page = open_page(start_site(TTS_ENGINE="piper", LLM_URL=model.url).url, microphone=microphone)
    page.on("dialog", lambda dialog: dialog.accept())
    start_story(page)
    page.reload()
    page.get_by_role("button", name="Resume").click()
    expect(captions(page)).to_contain_text(re.compile("Tell me a story.*Sentence.*—", re.DOTALL))
    say(page, "Go on.")
    expect(captions(page)).to_contain_text("You said: Go on.")
    question, story, last = contents(model)[-3:]
    assert (question, last) == ("Tell me a story.", "Go on.")
    assert story.startswith("Sentence number 1")
    assert story.endswith("—")


def test_a_reply_that_a_lost_network_ends_is_remembered_as_far_as_it_was_played(
    start_site, model, microphone, open_page
):
    site = start_site(TTS_ENGINE="piper", LLM_URL=model.url)
    network = FlakyNetwork(site.url)
    page = open_page(network.url, microphone=microphone, expect=LOST_NETWORK)
    start_story(page)
    network.go_down()
    page.context.set_offline(True)
    expect(page.locator("#talk")).to_have_attribute("data-state", "reconnecting")
    page.context.set_offline(False)
    network.come_up()
    expect(page.locator("#talk")).to_have_attribute("data-state", "listening")
    say(page, "Go on.")
    expect(captions(page)).to_contain_text("You said: Go on.")
    question, story, last = contents(model)[-3:]
    assert (question, last) == ("Tell me a story.", "Go on.")
    assert story.removesuffix("—") in STORY
    shown = captions(page).inner_text()
    assert " ".join(story.split()[:8]) in " ".join(shown.split())
    network.close()
