"""Speech is played while it is generated; the test captures the audio that the page plays."""

import io
import re
import wave

import numpy as np
import pytest
from playwright.sync_api import expect

from inference.engines.testing.tones import pcm_of
from tests.support.pages.audio_capture import CAPTURE_SCRIPT, FADE, played_audio
from tests.support.pages.page_actions import add_login

WORDS = "All of these words and no other."


@pytest.fixture
def page(shared_site, users, open_page):
    page = open_page(shared_site.url, bypass_csp=True)  # so that the capture script can run
    page.add_init_script(CAPTURE_SCRIPT)
    add_login(page, shared_site, users.next())
    page.goto("/voices/")
    return page


def speak(page, words):
    page.get_by_role("textbox", name="Text", exact=True).fill(words)
    page.get_by_role("button", name="Speak", exact=True).click()


def clips(page):
    return page.get_by_role("region", name="Playback").get_by_role("article")


def downloaded(page):
    with page.expect_download() as download:
        clips(page).first.get_by_role("button", name="WAV", exact=True).click()
    with wave.open(io.BytesIO(download.value.path().read_bytes())) as wav:
        assert (wav.getframerate(), wav.getnchannels(), wav.getsampwidth()) == (24_000, 1, 2)
        return np.frombuffer(wav.readframes(wav.getnframes()), "<i2")


def test_each_voice_has_its_license(page):
    voices = page.get_by_role("list", name="Voices").get_by_role("listitem")
    expect(voices.filter(has_text="Low")).to_contain_text("American English · male · Tones (for tests) · CC BY 4.0")
    expect(voices.filter(has_text="Non-commercial")).to_have_count(1)
    expect(voices.filter(has_text="Non-commercial")).to_contain_text("CC BY-NC 4.0")
    page.get_by_role("searchbox", name="Search voices").fill("by-nc")
    expect(voices.filter(visible=True)).to_have_count(1)


def test_generated_audio_is_played_and_downloaded_and_a_long_text_can_be_stopped(page):
    page.get_by_role("radio", name=re.compile("^Low")).check()
    speak(page, WORDS)
    expect(clips(page)).to_have_attribute("data-state", "done", timeout=60_000)
    expect(page.locator("#stop")).to_be_hidden(timeout=60_000)
    file = downloaded(page)
    assert file.tobytes() == pcm_of(WORDS, "low")
    played = played_audio(page)
    assert len(played) == pytest.approx(len(file), abs=2 * FADE)
    offset = next(at for at in range(2 * FADE) if np.array_equal(played[2000:3000], file[2000 + at :][:1000]))
    assert np.array_equal(played[FADE : -3 * FADE], file[FADE + offset :][: len(played) - 4 * FADE])

    speak(page, "word " * 1500)
    expect(clips(page)).to_have_attribute("data-state", "generating")
    page.get_by_role("button", name="Stop", exact=True).first.click()
    expect(page.locator("#stop")).to_be_hidden()
    speak(page, "One more.")  # in the released slot
    expect(clips(page)).to_have_attribute("data-state", "done", timeout=60_000)
