"""The voices page with real Chromium and real engines; the tests capture the audio that the page plays."""

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

from inference.engines.registry import ENGINES
from inference.engines.stt.pocketsphinx import PocketSphinx
from inference.engines.testing.tones import pcm_of
from tests.inference.engines.stt.test_pocketsphinx import text, transcribe
from tests.support.pages.audio_capture import CAPTURE_SCRIPT, FADE, played_audio
from tests.support.pages.page_actions import ApprovedUsers, log_in, sign_up
from tests.support.servers.site import running_site
from tests.support.speech.words import word_error_rate

pytestmark = pytest.mark.slow

SENTENCE = "The ships were waiting in the morning, and the captain was reading a letter from his mother."
CHAPTER = " ".join(f"This is sentence number {number} of a long chapter." for number in range(1, 31))


@pytest.fixture(scope="module")
def shared_sites(tmp_path_factory):
    """`shared_sites(engine)`: a site with that TTS engine, and its users."""
    with ExitStack() as running:

        @cache
        def start(engine):
            env = {"TTS_ENGINE": engine, "STT_ENGINE": "checksum", "RATE_LIMITS": "off"}
            site = running.enter_context(running_site(tmp_path_factory.mktemp("site"), **env))
            return site, ApprovedUsers(site)

        yield start


@pytest.fixture
def open_voices(shared_sites, open_page):
    """`open_voices(engine)`: the voices page of a new user, with that TTS engine; `page.site` is its site."""

    def open_voices(engine="tones", path="/voices/"):
        if not ENGINES[engine].is_installed:
            pytest.skip(f"{engine} is not installed: {ENGINES[engine].install}")
        site, users = shared_sites(engine)
        page = open_page(site.url, bypass_csp=True)  # so that the capture script can run
        page.site = site
        page.add_init_script(CAPTURE_SCRIPT)
        log_in(page, users.next())
        expect(page).to_have_url(f"{site.url}/live/")
        page.goto(path)
        return page

    return open_voices


def write(page, words):
    page.get_by_role("textbox", name="Text", exact=True).fill(words)


def speak(page, words):
    write(page, words)
    button(page, "Speak").click()


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def clips(page):
    return page.get_by_role("region", name="Playback").get_by_role("article")


def wait_until_generated(page, count=1):
    for number in range(count):
        expect(clips(page).nth(number)).to_have_attribute("data-state", "done", timeout=30_000)


def wait_until_silent(page):
    expect(page.locator("#stop")).to_be_hidden(timeout=30_000)


def downloaded(page, format="WAV"):
    with page.expect_download() as download:
        clips(page).first.get_by_role("button", name=format, exact=True).click()
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


def test_played_and_downloaded_audio_match_and_are_intelligible(open_voices):
    page = open_voices("piper")
    speak(page, SENTENCE)
    expect(clips(page).locator(".spoken__word.is-lit")).to_be_visible(timeout=15_000)
    wait_until_silent(page)
    file = samples_of(downloaded(page))
    speech = np.trim_zeros(file)
    played = played_audio(page)
    assert abs(len(played) - len(speech)) <= 2 * FADE
    shift = next(i for i in range(-FADE, FADE) if np.array_equal(played[2000:3000], np.roll(speech, i)[2000:3000]))
    assert np.array_equal(played[FADE : -3 * FADE], np.roll(speech, shift)[FADE : len(played) - 3 * FADE])
    recognized = text(transcribe(PocketSphinx(1), np.pad(file, (12_000, 24_000))))
    assert word_error_rate(SENTENCE, recognized) <= 0.15


def test_playback_starts_before_the_clip_is_complete(open_voices):
    page = open_voices()
    speak(page, "word " * 1500)
    page.wait_for_function("() => window.firstAudioAt", timeout=15_000)
    assert clips(page).get_attribute("data-state") == "generating"
    expect(clips(page)).to_contain_text(re.compile(r"first audio after \d+ ms"))
    button(page, "Stop").first.click()


def test_the_download_has_every_sample(open_voices):
    page = open_voices()
    words = "All of these words and no other, in 1996 and later."
    spoken = "All of these words and no other, in nineteen ninety-six and later."
    speak(page, words)
    wait_until_generated(page)
    assert samples_of(downloaded(page)).tobytes() == pcm_of(spoken)
    for format in ("MP3", "Opus"):
        audio, rate = soundfile.read(io.BytesIO(downloaded(page, format)))
        assert len(audio) / rate == pytest.approx(len(pcm_of(spoken)) / 48_000, abs=0.15)


def test_stop_silences_immediately_and_releases_the_slot(open_voices):
    page = open_voices()
    speak(page, "word " * 1500)
    page.wait_for_function("() => window.firstAudioAt", timeout=15_000)
    page.wait_for_timeout(300)
    stopped_at = page.evaluate("document.getElementById('stop').click(), clock()")
    page.wait_for_timeout(500)
    assert page.evaluate("lastAudioAt") - stopped_at <= 0.1  # seconds, by the clock of the AudioContext
    wait_until_slots_are_free(page.site)
    speak(page, "One more.")
    wait_until_generated(page)
    assert samples_of(downloaded(page)).tobytes() == pcm_of("One more.")


def test_two_voices_are_compared_on_the_same_text(open_voices):
    page = open_voices()
    page.get_by_label("Compare with").select_option("tones/low")
    speak(page, "Side by side.")
    expect(clips(page)).to_have_count(2)
    wait_until_generated(page, 2)
    wait_until_silent(page)
    both = pcm_of("Side by side.", "high"), pcm_of("Side by side.", "low")
    assert len(played_audio(page)) == pytest.approx(sum(map(len, both)) / 2, abs=4 * 1920)


def test_clips_are_stored_replayed_and_deleted(open_voices):
    page = open_voices()
    for words in ("First text.", "Second text."):
        speak(page, words)
        wait_until_generated(page)
    history = page.get_by_role("region", name="History").get_by_role("listitem")
    expect(history).to_have_count(2)
    page.reload()
    expect(history.first).to_contain_text("Second text.")
    history.last.get_by_role("button", name=re.compile("^Play")).click()
    expect(clips(page)).to_contain_text("First text.")
    assert samples_of(downloaded(page)).tobytes() == pcm_of("First text.")
    history.last.get_by_role("button", name=re.compile("^Delete")).click()
    expect(history).to_have_count(1)
    page.reload()
    expect(history).to_have_count(1)


def test_a_chapter_is_spoken_sentence_by_sentence(open_voices):
    page = open_voices("espeak")
    speak(page, CHAPTER)
    expect(clips(page)).to_contain_text("Sentence 1 of 30", timeout=15_000)
    expect(clips(page)).to_contain_text("Sentence 2 of 30", timeout=15_000)
    expect(clips(page).locator(".is-current")).to_contain_text("number 2 of")
    wait_until_generated(page)
    button(page, "Stop").first.click()


def test_voices_are_searched_filtered_sampled_and_marked_as_favorites(open_voices):
    page = open_voices("espeak")
    names = page.get_by_role("list", name="Voices").get_by_role("listitem").filter(visible=True)
    page.get_by_label("Search voices").fill("swahili")
    expect(names).to_have_count(1)
    page.get_by_role("button", name="Play sample of Swahili").click()
    page.wait_for_function("() => window.firstAudioAt", timeout=15_000)
    page.get_by_role("button", name="Favorite Swahili").click()
    page.get_by_label("Search voices").fill("")
    page.get_by_label("Language").select_option("fr")
    expect(names.first).to_contain_text("French")
    page.get_by_label("Language").select_option("")
    page.reload()
    button(page, "Favorites").click()
    expect(names).to_have_count(1)
    expect(names.first).to_contain_text("Swahili")


def test_a_link_opens_with_voice_and_text_filled_in(open_voices):
    page = open_voices(path="/voices/?voice=tones/low&text=Good%20evening.")
    expect(page.get_by_role("radio", name=re.compile("^Low"))).to_be_checked()
    expect(page.get_by_role("textbox", name="Text", exact=True)).to_have_value("Good evening.")
    page.get_by_role("slider", name="Speed").fill("1.25")
    button(page, "Speak").click()
    wait_until_generated(page)
    assert samples_of(downloaded(page)).tobytes() == pcm_of("Good evening.", "low", 4)


def test_unspeakable_text_is_reported(open_voices):
    page = open_voices()
    speak(page, "😀 😀")
    expect(clips(page).get_by_role("alert")).to_contain_text("No text to speak.")
    speak(page, "Smile 😀 please.")
    wait_until_generated(page)
    expect(clips(page)).to_contain_text("Skipped, because this voice can't speak it: 😀")
    write(page, "a" * 100_001)
    expect(page.locator("#counter")).to_contain_text("1 characters over the limit")
    expect(button(page, "Speak")).to_have_attribute("aria-disabled", "true")


def test_a_page_opened_before_the_engine_starts_shows_its_voices_later(start_site, redis_server, open_page):
    site = start_site(REDIS_URL=redis_server.url)
    page = open_page(site.url)
    sign_up(page, "ada@example.org")
    page.goto("/voices/?text=Good%20evening.")
    expect(page.get_by_role("main")).to_contain_text("No text-to-speech engine is running")
    page.get_by_role("textbox", name="Text", exact=True).fill(SENTENCE)
    site.add_inference("--engine", "tones")
    expect(page.get_by_role("listitem").first).to_be_visible(timeout=30_000)
    expect(page.get_by_role("main")).not_to_contain_text("No text-to-speech engine is running")
    expect(page.get_by_role("textbox", name="Text", exact=True)).to_have_value(SENTENCE)
