"""A session of real speech is searched, played, edited and shared: real Chromium, the whole site."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.pages.page_actions import PASSWORD, log_in
from tests.support.servers.site import running_site
from tests.support.speech.recorded_session import speak

pytestmark = pytest.mark.slow

USERS = """
from accounts.models import User
User.objects.create_superuser('ada@example.org', {password!r})
User.objects.create_user('eve@example.org', {password!r}, status='approved')
"""
TOLERANCE = 0.1  # seconds from the start of a word
PLAYBACK_START = "() => { const { played } = document.getElementById('audio'); return played.start(played.length - 1) }"
DECODE = """async () => {
    const bytes = await (await fetch(document.getElementById("audio").src)).arrayBuffer()
    const audio = await new OfflineAudioContext(1, 1, 24000).decodeAudioData(bytes)
    return [audio.length, audio.sampleRate]
}"""
IS_PLAYING = "() => { const s = document.getElementById('audio'); return s.played.length > 0 && !s.paused }"


@pytest.fixture(scope="module")
def word(speech):
    """A word that occurs once."""
    return max(re.findall(r"\w+", speech.text), key=len)


@pytest.fixture(scope="module")
def spoken(tmp_path_factory, speech):
    """The site, and the URL path of a session."""
    with running_site(tmp_path_factory.mktemp("site"), RATE_LIMITS="off") as site:
        site.shell(USERS.format(password=PASSWORD))
        session = speak(site, speech, "ada@example.org")
        yield site, f"/sessions/{session}/"


@pytest.fixture
def page(spoken, open_page):
    page = open_page(spoken[0].url, expect=["status of 404"])
    log_in(page, "ada@example.org")
    expect(page).to_have_url(f"{spoken[0].url}/live/")
    return page


def position(page):
    return page.evaluate("document.getElementById('audio').currentTime")


def start_of(word):
    return float(word.get_attribute("data-start"))


def clipboard(page):
    """Its text, pasted, because pages of the site have no permission to read it."""
    page.evaluate("document.body.append(Object.assign(document.createElement('textarea'), { id: 'pasted' }))")
    page.locator("#pasted").focus()
    page.keyboard.press("Control+V")
    text = page.locator("#pasted").input_value()
    page.locator("#pasted").evaluate("area => area.remove()")
    return text


def edit(page, segment, text):
    segment.locator(".word").first.hover()
    page.get_by_role("button", name="Edit", exact=True).click()
    page.get_by_label("Text", exact=True).fill(text)
    page.get_by_role("button", name="Save", exact=True).last.click()


def test_search_finds_the_word_and_jumps_to_it(spoken, page, word):
    page.goto("/sessions/")
    page.get_by_role("searchbox").fill(word)
    page.get_by_role("button", name="Search").click()
    expect(page.locator("mark")).to_have_text(word)
    page.get_by_role("link", name=word).click()
    found = page.locator(".word--found")
    expect(found).to_have_text(re.compile(word))
    expect(found).to_be_in_viewport()
    expect(page).to_have_url(re.compile(rf"\?q={word}#u\d+$"))
    page.wait_for_function(
        f"() => Math.abs(document.getElementById('audio').currentTime - {start_of(found)}) < {TOLERANCE}"
    )


def test_clicking_a_word_plays_from_it_and_highlights_it(spoken, page):
    for number in (40, 5, 70):
        page.goto(spoken[1])
        word = page.locator(".word").nth(number)
        word.click()
        expect(word).to_have_class(re.compile("word--now"))
        page.wait_for_function(IS_PLAYING)
        assert page.evaluate(PLAYBACK_START) == pytest.approx(start_of(word), abs=TOLERANCE)


def test_the_browser_decodes_the_complete_recording(spoken, page):
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
    assert page.evaluate("document.getElementById('audio').playbackRate") == 2


def test_a_quote_has_its_time_and_a_link_leads_to_that_time(spoken, page):
    page.context.grant_permissions(["clipboard-write"])
    page.goto(spoken[1])
    segment = page.locator(".segment").nth(2)
    said, time = (segment.locator(part).text_content() for part in (".segment__words", ".segment__time"))
    segment.locator(".word").first.hover()
    page.get_by_role("button", name="Quote").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert clipboard(page) == f"“{said}” ({time})"
    page.get_by_role("button", name="Link").click()
    expect(page.get_by_role("button", name="Copied")).to_have_count(2)
    link = clipboard(page)
    page.goto("about:blank")
    page.goto(link)
    expect(page.locator(".word--now")).to_be_in_viewport()
    assert position(page) == pytest.approx(start_of(segment.locator(".word").first), abs=TOLERANCE)


def test_an_edit_survives_a_reload_keeps_word_times_and_can_be_undone(spoken, page):
    page.goto(spoken[1])
    segment = page.locator(".segment").first
    before = segment.locator(".segment__words").text_content()
    times = [start_of(word) for word in segment.locator(".word").all()]
    _, *rest = before.split()
    edit(page, segment, " ".join(["Amid", *rest]))
    edited = page.locator(".segment").first
    expect(edited.locator(".word").first).to_have_text("Amid")
    page.reload()
    expect(edited.locator(".word")).to_have_text(["Amid", *rest])
    assert [start_of(word) for word in edited.locator(".word").all()] == times
    page.locator("#changes summary").click()
    expect(page.locator(".change").first).to_contain_text("ada@example.org")
    page.get_by_role("button", name="Undo").first.click()
    expect(edited.locator(".segment__words")).to_have_text(before)
    expect(page.locator(".change--undone")).to_have_count(1)


def test_a_segment_is_split_merged_and_given_a_speaker(spoken, page):
    page.goto(spoken[1])
    count = page.locator(".segment").count()
    segment = page.locator(".segment").nth(1)
    words = segment.locator(".word").all_text_contents()
    segment.locator(".word").first.hover()
    page.get_by_role("button", name="Edit", exact=True).click()
    page.get_by_label("Speaker", exact=True).fill("Reader")
    page.get_by_label("Text", exact=True).evaluate(
        "(text, at) => text.setSelectionRange(at, at)", len(" ".join(words[:2]))
    )
    page.get_by_role("button", name="Split at cursor").click()
    expect(page.locator(".segment")).to_have_count(count + 1)
    expect(page.locator(".segment").nth(1).locator(".word")).to_have_text(words[:2])
    expect(page.locator(".segment__speaker")).to_have_text(["Reader", "Reader"])
    page.locator(".segment").nth(1).locator(".word").first.hover()
    page.get_by_role("button", name="Edit", exact=True).click()
    page.get_by_role("button", name="Merge with next").click()
    expect(page.locator(".segment").nth(1).locator(".word")).to_have_text(words)


def test_a_share_link_works_without_an_account_until_it_is_revoked(spoken, page, open_page):
    site, address = spoken
    page.goto(address)
    page.get_by_role("link", name="Share").click()
    page.get_by_label("Include audio").check()
    page.get_by_role("button", name="Create link").click()
    link = page.locator(".share__link").input_value()
    reader = open_page(site.url, expect=["status of 404"])
    reader.goto(link)
    expect(reader.locator(".word").first).to_have_text(page.locator(".word").first.text_content())
    reader.locator(".word").nth(20).click()
    reader.wait_for_function(
        "document.getElementById('audio').currentTime > 0 && !document.getElementById('audio').paused"
    )
    expect(reader.get_by_role("button", name="Edit", exact=True)).to_have_count(0)
    audio = reader.locator("#audio").get_attribute("src")
    page.get_by_role("button", name="Revoke").click()
    assert reader.goto(link).status == 404
    assert reader.request.get(audio).status == 404


def test_another_user_cannot_access_the_session(spoken, page, open_page, word):
    site, address = spoken
    page.goto(address)
    segment = page.locator(".segment").last.get_attribute("data-segment")
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
    eve.goto(f"/sessions/?q={word}")
    expect(eve.get_by_role("main")).to_contain_text("No results")
