"""The page of voices: real Chromium, real engines, and the sound caught where the page gives it to the loudspeaker."""

import io
import re
import signal
import time
import wave
from contextlib import ExitStack
from functools import cache

import numpy as np
import pytest
import soundfile
from playwright.sync_api import expect

from inference.engines import ENGINES
from inference.engines.stt.pocketsphinx import PocketSphinx
from inference.engines.testing.tones import pcm_of
from tests.inference.engines.stt.test_pocketsphinx import hear, text
from tests.support.pages.audio_capture import EAR, FADE, played
from tests.support.pages.page_actions import Crowd, log_in, sign_up
from tests.support.servers.site import running_site
from tests.support.speech.words import word_error_rate

pytestmark = pytest.mark.slow

SENTENCE = "The ships were waiting in the morning, and the captain was reading a letter from his mother."
CHAPTER = " ".join(f"This is sentence number {number} of a long chapter." for number in range(1, 31))


@pytest.fixture(scope="module")
def shared_sites(tmp_path_factory):
    """`shared_sites(engine)`: a site whose voices are those of the engine, and its people."""
    with ExitStack() as running:

        @cache
        def start(engine):
            env = {"TTS_ENGINE": engine, "STT_ENGINE": "checksum", "RATE_LIMITS": "off"}
            site = running.enter_context(running_site(tmp_path_factory.mktemp("site"), **env))
            return site, Crowd(site)

        yield start


@pytest.fixture
def open_voices(shared_sites, open_page):
    """`open_voices(engine)`: the page of somebody new, with the voices of the engine; `page.site` is its site."""

    def open_them(engine="tones", path="/voices/"):
        if not ENGINES[engine].is_installed:
            pytest.skip(f"{engine} is not installed")
        site, crowd = shared_sites(engine)
        page = open_page(site.url, bypass_csp=True)  # which would keep the ear out
        page.site = site
        page.add_init_script(EAR)
        log_in(page, crowd.next())
        expect(page).to_have_url(f"{site.url}/live/")
        page.goto(path)
        return page

    return open_them


def write(page, words):
    page.get_by_label("Text", exact=True).fill(words)


def speak(page, words):
    write(page, words)
    button(page, "Speak").click()


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def takes(page):
    return page.get_by_role("region", name="What is spoken").get_by_role("article")


def wait_until_made(page, count=1):
    for number in range(count):
        expect(takes(page).nth(number)).to_have_attribute("data-state", "made", timeout=30_000)


def wait_until_silent(page):
    expect(page.locator("#stop")).to_be_hidden(timeout=30_000)


def downloaded(page, format="WAV"):
    with page.expect_download() as download:
        takes(page).first.get_by_role("button", name=format, exact=True).click()
    assert download.value.suggested_filename.endswith(f".{format.lower()}")
    return download.value.path().read_bytes()


def samples_of(wav_bytes):
    with wave.open(io.BytesIO(wav_bytes)) as wav:
        assert (wav.getframerate(), wav.getnchannels(), wav.getsampwidth()) == (24_000, 1, 2)
        return np.frombuffer(wav.readframes(wav.getnframes()), "<i2")


def wait_until_slots_are_free(site):
    def are_free():
        site.web.process.send_signal(signal.SIGUSR1)
        time.sleep(0.3)
        free, slots = re.findall(r"(\d+) of (\d+) slots free", site.log)[-1]
        return free == slots

    site.web.wait_until(are_free, within=10)


def test_what_is_spoken_is_what_is_played_downloaded_and_understood(open_voices):
    page = open_voices("piper")
    speak(page, SENTENCE)
    expect(takes(page).locator(".spoken__word.is-lit")).to_be_visible(timeout=15_000)
    wait_until_silent(page)
    file = samples_of(downloaded(page))
    sounds = np.trim_zeros(file)
    heard = played(page)
    assert abs(len(heard) - len(sounds)) <= 2 * FADE
    shift = next(i for i in range(-FADE, FADE) if np.array_equal(heard[2000:3000], np.roll(sounds, i)[2000:3000]))
    assert np.array_equal(heard[FADE : -3 * FADE], np.roll(sounds, shift)[FADE : len(heard) - 3 * FADE])
    understood = text(hear(PocketSphinx(1), np.pad(file, (12_000, 24_000))))
    assert word_error_rate(SENTENCE, understood) <= 0.15


def test_sound_comes_before_everything_is_made(open_voices):
    page = open_voices()
    speak(page, "word " * 1500)
    page.wait_for_function("() => window.firstSoundAt", timeout=15_000)
    assert takes(page).get_attribute("data-state") == "making"
    expect(takes(page)).to_contain_text(re.compile(r"first sound after \d+ ms"))
    button(page, "Stop").first.click()


def test_every_sample_of_a_text_is_in_the_download(open_voices):
    page = open_voices()
    words = "All of these words and no other, in 1996 and later."
    spoken = "All of these words and no other, in nineteen ninety-six and later."
    speak(page, words)
    wait_until_made(page)
    assert samples_of(downloaded(page)).tobytes() == pcm_of(spoken)
    for format in ("MP3", "Opus"):
        audio, rate = soundfile.read(io.BytesIO(downloaded(page, format)))
        assert len(audio) / rate == pytest.approx(len(pcm_of(spoken)) / 48_000, abs=0.15)


def test_stop_silences_at_once_and_frees_the_slot(open_voices):
    page = open_voices()
    speak(page, "word " * 1500)
    page.wait_for_function("() => window.firstSoundAt", timeout=15_000)
    page.wait_for_timeout(300)
    stopped_at = page.evaluate("document.getElementById('stop').click(), clock()")
    page.wait_for_timeout(500)
    assert page.evaluate("lastSoundAt") - stopped_at <= 0.1  # seconds, by the clock of the sound
    wait_until_slots_are_free(page.site)
    speak(page, "One more.")
    wait_until_made(page)
    assert samples_of(downloaded(page)).tobytes() == pcm_of("One more.")


def test_two_voices_are_compared_on_the_same_text(open_voices):
    page = open_voices()
    page.get_by_label("Compare with").select_option("tones/low")
    speak(page, "Side by side.")
    expect(takes(page)).to_have_count(2)
    wait_until_made(page, 2)
    wait_until_silent(page)
    both = pcm_of("Side by side.", "high"), pcm_of("Side by side.", "low")
    assert len(played(page)) == pytest.approx(sum(map(len, both)) / 2, abs=4 * 1920)


def test_what_was_made_is_kept_replayed_and_deleted(open_voices):
    page = open_voices()
    for words in ("First text.", "Second text."):
        speak(page, words)
        wait_until_made(page)
    kept = page.get_by_role("region", name="Made before").get_by_role("listitem")
    expect(kept).to_have_count(2)
    page.reload()
    expect(kept.first).to_contain_text("Second text.")
    kept.last.get_by_role("button", name=re.compile("^Play")).click()
    expect(takes(page)).to_contain_text("First text.")
    assert samples_of(downloaded(page)).tobytes() == pcm_of("First text.")
    kept.last.get_by_role("button", name=re.compile("^Delete")).click()
    expect(kept).to_have_count(1)
    page.reload()
    expect(kept).to_have_count(1)


def test_a_chapter_is_spoken_sentence_by_sentence(open_voices):
    page = open_voices("espeak")
    speak(page, CHAPTER)
    expect(takes(page)).to_contain_text("Sentence 1 of 30", timeout=15_000)
    expect(takes(page)).to_contain_text("Sentence 2 of 30", timeout=15_000)
    expect(takes(page).locator(".is-current")).to_contain_text("number 2 of")
    wait_until_made(page)
    button(page, "Stop").first.click()


def test_voices_are_searched_filtered_tried_and_marked(open_voices):
    page = open_voices("espeak")
    names = page.get_by_role("list", name="Voices").get_by_role("listitem").filter(visible=True)
    page.get_by_label("Search the voices").fill("swahili")
    expect(names).to_have_count(1)
    page.get_by_role("button", name="Sample of Swahili").click()
    page.wait_for_function("() => window.firstSoundAt", timeout=15_000)
    page.get_by_role("button", name="Favourite Swahili").click()
    page.get_by_label("Search the voices").fill("")
    page.get_by_label("Language").select_option("fr")
    expect(names.first).to_contain_text("French")
    page.get_by_label("Language").select_option("")
    page.reload()
    button(page, "Favourites").click()
    expect(names).to_have_count(1)
    expect(names.first).to_contain_text("Swahili")


def test_a_link_opens_with_voice_and_text_filled_in(open_voices):
    page = open_voices(path="/voices/?voice=tones/low&text=Good%20evening.")
    expect(page.get_by_role("radio", name=re.compile("^Low"))).to_be_checked()
    expect(page.get_by_label("Text", exact=True)).to_have_value("Good evening.")
    page.get_by_role("slider", name="Speed").fill("1.25")
    button(page, "Speak").click()
    wait_until_made(page)
    assert samples_of(downloaded(page)).tobytes() == pcm_of("Good evening.", "low", 4)


def test_what_cannot_be_spoken_is_told(open_voices):
    page = open_voices()
    speak(page, "😀 😀")
    expect(takes(page).get_by_role("alert")).to_contain_text("There is nothing to speak.")
    speak(page, "Smile 😀 please.")
    wait_until_made(page)
    expect(takes(page)).to_contain_text("Left out, for nobody can speak it: 😀")
    write(page, "a" * 100_001)
    expect(page.locator("#counter")).to_contain_text("1 characters too many")
    expect(button(page, "Speak")).to_have_attribute("aria-disabled", "true")


def test_a_page_that_was_early_has_the_voices_when_they_are_there(start_site, redis_server, open_page):
    site = start_site(REDIS_URL=redis_server.url)
    page = open_page(site.url)
    sign_up(page, "ada@example.org")
    page.goto("/voices/?text=Good%20evening.")
    expect(page.get_by_role("main")).to_contain_text("No engine that speaks is running")
    page.get_by_label("Text", exact=True).fill(SENTENCE)
    site.add_inference("--engine", "tones")
    expect(page.get_by_role("listitem").first).to_be_visible(timeout=30_000)
    expect(page.get_by_role("main")).not_to_contain_text("No engine that speaks is running")
    expect(page.get_by_label("Text", exact=True)).to_have_value(SENTENCE)
