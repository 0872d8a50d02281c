"""Text in, speech out while it is being made: the sound is caught where the page gives it to the loudspeaker."""

import io
import re
import wave

import numpy as np
import pytest
from playwright.sync_api import expect

from inference.engines.testing.tones import pcm_of
from tests.support.pages.audio_capture import EAR, FADE, played
from tests.support.pages.page_actions import log_in

WORDS = "All of these words and no other."


@pytest.fixture
def page(shared_site, crowd, open_page):
    page = open_page(shared_site.url, bypass_csp=True)  # which would keep the ear out
    page.add_init_script(EAR)
    log_in(page, crowd.next())
    expect(page).to_have_url(f"{shared_site.url}/live/")
    page.goto("/voices/")
    return page


def speak(page, words):
    page.get_by_label("Text", exact=True).fill(words)
    page.get_by_role("button", name="Speak", exact=True).click()


def takes(page):
    return page.get_by_role("region", name="What is spoken").get_by_role("article")


def downloaded(page):
    with page.expect_download() as download:
        takes(page).first.get_by_role("button", name="WAV", exact=True).click()
    with wave.open(io.BytesIO(download.value.path().read_bytes())) as wav:
        assert (wav.getframerate(), wav.getnchannels(), wav.getsampwidth()) == (24_000, 1, 2)
        return np.frombuffer(wav.readframes(wav.getnframes()), "<i2")


def test_what_is_made_is_what_is_played_and_downloaded_and_a_long_text_can_be_stopped(page):
    page.get_by_role("radio", name=re.compile("^Low")).check()
    speak(page, WORDS)
    expect(takes(page)).to_have_attribute("data-state", "made", timeout=60_000)
    expect(page.locator("#stop")).to_be_hidden(timeout=60_000)
    file = downloaded(page)
    assert file.tobytes() == pcm_of(WORDS, "low")
    heard = played(page)
    assert len(heard) == pytest.approx(len(file), abs=2 * FADE)
    begin = next(at for at in range(2 * FADE) if np.array_equal(heard[2000:3000], file[2000 + at :][:1000]))
    assert np.array_equal(heard[FADE : -3 * FADE], file[FADE + begin :][: len(heard) - 4 * FADE])

    speak(page, "word " * 1500)
    expect(takes(page)).to_have_attribute("data-state", "making")
    page.get_by_role("button", name="Stop", exact=True).first.click()
    expect(page.locator("#stop")).to_be_hidden()
    speak(page, "One more.")  # in the slot that has become free
    expect(takes(page)).to_have_attribute("data-state", "made", timeout=60_000)
