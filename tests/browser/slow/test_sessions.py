"""A session of real speech is found again, listened to, corrected and shared: real Chromium, the whole site."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.pages.page_actions import PASSWORD, log_in
from tests.support.servers.site import running_site
from tests.support.speech.audio import Recording
from tests.support.speech.recorded_session import speak

pytestmark = pytest.mark.slow

PEOPLE = """
from accounts.models import User
User.objects.create_superuser('ada@example.org', {password!r})
User.objects.create_user('eve@example.org', {password!r}, status='approved')
"""
PLAYED_WITHIN = 0.1  # seconds of where a word begins
BEGAN = "() => { const { played } = document.getElementById('sound'); return played.start(played.length - 1) }"
DECODE = """async () => {
    const bytes = await (await fetch(document.getElementById("sound").src)).arrayBuffer()
    const sound = await new OfflineAudioContext(1, 1, 24000).decodeAudioData(bytes)
    return [sound.length, sound.sampleRate]
}"""
PLAYS = "() => { const s = document.getElementById('sound'); return s.played.length > 0 && !s.paused }"


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    """The site, and the address of a session in it."""
    with running_site(tmp_path_factory.mktemp("site"), RATE_LIMITS="off") as site:
        site.shell(PEOPLE.format(password=PASSWORD))
        session = speak(site, Recording("bria", tmp_path_factory.mktemp("audio")), "ada@example.org")
        yield site, f"/sessions/{session}/"


@pytest.fixture
def page(spoken, open_page):
    page = open_page(spoken[0].url, expect=["status of 404"])
    log_in(page, "ada@example.org")
    expect(page).to_have_url(f"{spoken[0].url}/live/")
    return page


def position(page):
    return page.evaluate("document.getElementById('sound').currentTime")


def begins(word):
    return float(word.get_attribute("data-start"))


def correct(page, utterance, text):
    utterance.locator(".word").first.hover()
    page.get_by_role("button", name="Correct").click()
    page.get_by_label("What was said").fill(text)
    page.get_by_role("button", name="Save", exact=True).last.click()


def test_search_finds_the_word_and_jumps_to_it(spoken, page):
    page.goto("/sessions/")
    page.get_by_role("searchbox").fill("crystal")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("mark")).to_have_text("crystal")
    page.get_by_role("link", name="crystal").click()
    word = page.locator(".word--found")
    expect(word).to_have_text("crystal")
    expect(word).to_be_in_viewport()
    expect(page).to_have_url(re.compile(r"\?q=crystal#u\d+$"))
    page.wait_for_function(
        f"() => Math.abs(document.getElementById('sound').currentTime - {begins(word)}) < {PLAYED_WITHIN}"
    )


def test_clicking_a_word_plays_from_it_and_lights_it(spoken, page):
    for number in (40, 5, 70):
        page.goto(spoken[1])
        word = page.locator(".word").nth(number)
        word.click()
        expect(word).to_have_class(re.compile("word--now"))
        page.wait_for_function(PLAYS)
        assert page.evaluate(BEGAN) == pytest.approx(begins(word), abs=PLAYED_WITHIN)


def test_the_browser_decodes_all_that_was_recorded(spoken, page):
    page.goto(spoken[1])
    samples, rate = page.evaluate(DECODE)
    assert rate == 24_000
    assert samples / rate == pytest.approx(float(page.locator("#player").get_attribute("data-seconds")), abs=0.01)


def test_the_keyboard_plays_and_jumps(spoken, page):
    page.goto(spoken[1])
    page.locator("body").press("l")
    assert position(page) == 10
    page.locator("body").press("ArrowLeft")
    assert position(page) == 5
    page.locator("body").press("Space")
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    page.locator("body").press("Space")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    page.get_by_label("Speed").select_option("2")
    assert page.evaluate("document.getElementById('sound').playbackRate") == 2


def test_a_quote_has_its_time_and_a_link_leads_to_the_moment(spoken, page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(spoken[1])
    utterance = page.locator(".utterance").nth(2)
    said, time = (utterance.locator(part).text_content() for part in (".utterance__words", ".utterance__time"))
    utterance.locator(".word").first.hover()
    page.get_by_role("button", name="Quote").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f"“{said}” ({time})"
    page.get_by_role("button", name="Link").click()
    expect(page.get_by_role("button", name="Copied")).to_have_count(2)
    link = page.evaluate("navigator.clipboard.readText()")
    page.goto("about:blank")
    page.goto(link)
    expect(page.locator(".word--now")).to_be_in_viewport()
    assert position(page) == pytest.approx(begins(utterance.locator(".word").first), abs=PLAYED_WITHIN)


def test_an_edit_survives_a_reload_keeps_the_times_and_can_be_undone(spoken, page):
    page.goto(spoken[1])
    utterance = page.locator(".utterance").first
    before = utterance.locator(".utterance__words").text_content()
    times = [begins(word) for word in utterance.locator(".word").all()]
    _, *rest = before.split()
    correct(page, utterance, " ".join(["Amid", *rest]))
    corrected = page.locator(".utterance").first
    expect(corrected.locator(".word").first).to_have_text("Amid")
    page.reload()
    expect(corrected.locator(".word")).to_have_text(["Amid", *rest])
    assert [begins(word) for word in corrected.locator(".word").all()] == times
    page.locator("#changes summary").click()
    expect(page.locator(".change").first).to_contain_text("ada@example.org")
    page.get_by_role("button", name="Undo").first.click()
    expect(corrected.locator(".utterance__words")).to_have_text(before)
    expect(page.locator(".change--undone")).to_have_count(1)


def test_an_utterance_is_split_joined_and_given_a_speaker(spoken, page):
    page.goto(spoken[1])
    count = page.locator(".utterance").count()
    utterance = page.locator(".utterance").nth(1)
    words = utterance.locator(".word").all_text_contents()
    utterance.locator(".word").first.hover()
    page.get_by_role("button", name="Correct").click()
    page.get_by_label("Who says it").fill("Bria")
    page.get_by_label("What was said").evaluate(
        "(text, at) => text.setSelectionRange(at, at)", len(" ".join(words[:2]))
    )
    page.get_by_role("button", name="Split at the cursor").click()
    expect(page.locator(".utterance")).to_have_count(count + 1)
    expect(page.locator(".utterance").nth(1).locator(".word")).to_have_text(words[:2])
    expect(page.locator(".utterance__speaker")).to_have_text(["Bria", "Bria"])
    page.locator(".utterance").nth(1).locator(".word").first.hover()
    page.get_by_role("button", name="Correct").click()
    page.get_by_role("button", name="Join with the next").click()
    expect(page.locator(".utterance").nth(1).locator(".word")).to_have_text(words)


def test_a_share_link_opens_for_anybody_and_dies_when_it_is_revoked(spoken, page, open_page):
    site, address = spoken
    page.goto(address)
    page.get_by_role("link", name="Share").click()
    page.get_by_label("With the sound").check()
    page.get_by_role("button", name="Make a link").click()
    link = page.locator(".share__link").input_value()
    reader = open_page(site.url, expect=["status of 404"])
    reader.goto(link)
    expect(reader.locator(".word").first).to_have_text(page.locator(".word").first.text_content())
    reader.locator(".word").nth(20).click()
    reader.wait_for_function(
        "document.getElementById('sound').currentTime > 0 && !document.getElementById('sound').paused"
    )
    expect(reader.get_by_role("button", name="Correct")).to_have_count(0)
    sound = reader.locator("#sound").get_attribute("src")
    page.get_by_role("button", name="Revoke").click()
    assert reader.goto(link).status == 404
    assert reader.request.get(sound).status == 404


def test_to_another_user_none_of_it_is_there(spoken, page, open_page):
    site, address = spoken
    page.goto(address)
    segment = page.locator(".utterance").last.get_attribute("data-segment")
    eve = open_page(site.url, expect=["status of 404"])
    log_in(eve, "eve@example.org")
    expect(eve).to_have_url(f"{site.url}/live/")
    for part in ["", "audio.flac", "audio.wav", "peaks", "transcript.txt", "transcript.json", "transcript.srt"]:
        assert eve.request.get(f"{address}{part}").status == 404, part
    assert eve.request.get(f"/api{address}words/0/").status == 404
    token = eve.locator("[name=csrfmiddlewaretoken]").first.get_attribute("value")
    for part in ["delete/", "details/", "share/", f"segments/{segment}/", "corrections/1/undo/", "share/1/revoke/"]:
        headers = {"X-CSRFToken": token, "Referer": site.url}
        assert eve.request.post(f"{address}{part}", headers=headers).status == 404, part
    eve.goto("/sessions/?q=crystal")
    expect(eve.get_by_role("main")).to_contain_text("Nothing found")
