"""A page that dies in mid-sentence, and goes on: real Chromium, and an engine whose words prove every sample."""

from playwright.sync_api import expect

from tests.browser.people import log_in, start, stop, transcript


def wait_for_words(page, count):
    page.wait_for_function("count => document.querySelectorAll('.word').length >= count", arg=count, timeout=60_000)


def times_of_words(page):
    """(start, end) of each, as the page of its session has them."""
    return page.locator(".word").evaluate_all("words => words.map(({ dataset }) => [dataset.start, dataset.end])")


def test_a_reload_in_mid_sentence_loses_nothing_and_doubles_nothing(shared_site, crowd, open_page, opening):
    page = open_page(shared_site.url, microphone=opening.wav(48_000, silence_after=60))
    page.on("dialog", lambda dialog: dialog.accept())
    log_in(page, crowd.next())
    start(page)
    wait_for_words(page, 7)
    before = transcript(page).split()
    page.reload()
    page.get_by_role("button", name="Resume").click()
    wait_for_words(page, len(before) + 7)
    stop(page)
    shown = transcript(page).split()
    assert shown[: len(before)] == before
    page.get_by_role("link", name="Open the session").click()
    expect(page.locator(".word")).to_have_text(shown)
    times = times_of_words(page)
    assert [start for start, _ in times[1:]] == [end for _, end in times[:-1]]
