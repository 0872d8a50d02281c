"""Uploads in the browser: choose a file, watch its progress, open and download the session; or cancel the upload."""

import subprocess

import pytest
from playwright.sync_api import expect

from speech.library.exports import FORMATS
from tests.support.clients.api import wav_of
from tests.support.clients.uploads import left_on_disk, wait_until_nothing_is_left
from tests.support.pages.page_actions import choose_download, sign_up
from tests.support.pages.screenshots import PageChecker
from tests.support.servers import programs
from tests.support.speech.checksum_audio import noise
from tests.support.speech.words import word_error_rate

pytestmark = pytest.mark.slow

MINUTE = 750  # frames
COUNTS = "from speech.models import Session, Upload; print(Session.objects.count(), Upload.objects.count())"

# Records each change of the progress bar.
RECORD_PROGRESS = """
window.seen = []
addEventListener("DOMContentLoaded", () => {
  const list = document.getElementById("uploads")
  if (!list) return
  new MutationObserver(() => {
    for (const bar of list.querySelectorAll("progress"))
      window.seen.push([bar.parentElement.dataset.state, bar.hasAttribute("value") ? bar.value : null])
  }).observe(list, { subtree: true, childList: true, attributes: true, characterData: true })
})
"""


@pytest.fixture
def quick_site(start_site):
    return start_site(STT_ENGINE="checksum")


@pytest.fixture
def uploading(open_page):
    def open_uploads(site, **options):
        page = open_page(site.url, **options)
        page.add_init_script(RECORD_PROGRESS)
        sign_up(page, "ada@example.org")
        expect(page).to_have_url(f"{site.url}/live/")
        page.goto("/sessions/upload/")
        return page

    return open_uploads


def entry(page, name):
    return page.get_by_role("list", name="Your uploads").get_by_role("listitem").filter(has_text=name)


def test_a_recording_is_uploaded_opened_and_downloaded(site, uploading, speech, tmp_path):
    recording = tmp_path / "By the river.mp3"
    source = ["-i", str(speech.wav(48_000))]
    subprocess.run([programs.ffmpeg(), "-v", "error", *source, "-q:a", "4", str(recording)], check=True)
    page = uploading(site)
    page.get_by_label("Save audio with the transcript").check()
    page.get_by_label("Choose recordings").set_input_files(recording)
    upload = entry(page, "By the river.mp3")
    expect(upload.get_by_text("Done: 0:4")).to_be_visible(timeout=150_000)

    seen = page.evaluate("seen")
    transcribing = [value for state, value in seen if state == "transcribing"]
    assert transcribing == sorted(transcribing)
    assert any(0 < value < 1 for value in transcribing)
    assert seen[-1] == ["done", 1]

    upload.get_by_role("link", name="Open the session").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("By the river")
    words = page.locator(".word").all_text_contents()
    assert word_error_rate(speech.text, " ".join(words)) <= 0.25
    for format in FORMATS.values():
        with page.expect_download() as download:
            choose_download(page, f"{format.label} .{format.extension}")
        assert download.value.suggested_filename.endswith(f"by-the-river.{format.extension}")
        assert download.value.path().stat().st_size > 500
        page.keyboard.press("Escape")
    page.reload()
    page.get_by_role("main").locator("summary", has_text="Download").click()
    with page.expect_download() as audio:
        page.get_by_role("link", name="Audio").click()
    assert audio.value.path().stat().st_size > 100_000


def test_a_canceled_upload_leaves_nothing(quick_site, uploading):
    page = uploading(quick_site)
    file = {"name": "secret.wav", "mimeType": "audio/wav", "buffer": wav_of(noise(10 * MINUTE))}
    page.get_by_label("Choose recordings").set_input_files(files=[file])
    upload = entry(page, "secret.wav")
    expect(upload.get_by_text("Transcribed")).to_be_visible(timeout=30_000)
    assert len(left_on_disk(quick_site)) == 1
    upload.get_by_role("button", name="Cancel").click()
    expect(upload).to_be_hidden()
    wait_until_nothing_is_left(quick_site)
    assert quick_site.shell(COUNTS) == "0 0"


def test_an_upload_continues_after_a_reload(quick_site, uploading):
    page = uploading(quick_site, expect=["Failed to load", "ERR_"])
    page.on("dialog", lambda dialog: dialog.accept())
    file = {"name": "long.wav", "mimeType": "audio/wav", "buffer": wav_of(noise(2 * MINUTE))}
    page.route("**/api/v1/uploads/*/content/?offset=4194304*", lambda route: route.abort())
    page.get_by_label("Choose recordings").set_input_files(files=[file])
    expect(entry(page, "long.wav").get_by_text("Server unavailable")).to_be_visible()
    page.unroute_all()
    page.reload()
    expect(entry(page, "long.wav").get_by_text("Choose the same file again")).to_be_visible()
    page.get_by_label("Choose recordings").set_input_files(files=[file])
    expect(entry(page, "long.wav").get_by_text("Done: 2:00")).to_be_visible(timeout=30_000)
    expect(entry(page, "long.wav")).to_have_count(1)
    assert quick_site.shell(COUNTS) == "1 1"


def test_the_same_file_in_two_windows_becomes_two_sessions(quick_site, uploading):
    page = uploading(quick_site, expect=["Failed to load", "ERR_"])
    page.on("dialog", lambda dialog: dialog.accept())
    file = {"name": "long.wav", "mimeType": "audio/wav", "buffer": wav_of(noise(2 * MINUTE))}
    page.route("**/api/v1/uploads/*/content/?offset=4194304*", lambda route: route.abort())
    page.get_by_label("Choose recordings").set_input_files(files=[file])
    expect(entry(page, "long.wav").get_by_text("Server unavailable")).to_be_visible()

    other = page.context.new_page()
    other.goto(f"{quick_site.url}/sessions/upload/")
    expect(entry(other, "long.wav").get_by_text("Uploading in another window")).to_be_visible()
    other.get_by_label("Choose recordings").set_input_files(files=[file])
    expect(entry(other, "long.wav").get_by_text("Done: 2:00")).to_be_visible(timeout=30_000)
    expect(entry(other, "long.wav")).to_have_count(2)
    page.unroute_all()
    expect(entry(page, "long.wav").get_by_text("Done: 2:00")).to_be_visible(timeout=60_000)
    assert quick_site.shell(COUNTS) == "2 2"


def test_a_file_that_is_too_large_is_rejected_before_it_is_sent(start_site, uploading):
    page = uploading(start_site(STT_ENGINE="checksum", UPLOAD_MAX_MB="1"))
    sent = []
    page.on("request", lambda request: sent.append(request.url) if request.method != "GET" else None)
    large = {"name": "film.mp4", "mimeType": "video/mp4", "buffer": bytes(1_000_001)}
    small = {"name": "small.wav", "mimeType": "audio/wav", "buffer": wav_of(noise(10))}
    page.get_by_label("Choose recordings").set_input_files(files=[large])
    problem = entry(page, "film.mp4").get_by_role("alert")
    expect(problem).to_contain_text("The file is too large. The file is 2 MB; the limit is 1 MB. Upload only the audio")
    assert sent == []
    page.get_by_label("Choose recordings").set_input_files(files=[small])
    expect(entry(page, "small.wav").get_by_text("Done")).to_be_visible(timeout=20_000)
    entry(page, "film.mp4").get_by_role("button", name="Dismiss").click()
    expect(entry(page, "film.mp4")).to_be_hidden()


def test_a_bad_file_is_reported_and_dismissed(quick_site, uploading, request):
    page = uploading(quick_site, reduced_motion="reduce", expect=["status of 400"])
    checker = PageChecker(page, request.config.getoption("--pictures"))
    expect(page.get_by_text("faster than real time")).to_be_visible()
    checker.check("upload-none")
    letter = {"name": "letter.wav", "mimeType": "audio/wav", "buffer": b"Dear Ada,\n" * 100}
    empty = {"name": "empty.mp3", "mimeType": "audio/mpeg", "buffer": b""}
    good = {"name": "Interview with the gardener.wav", "mimeType": "audio/wav", "buffer": wav_of(noise(100))}
    page.get_by_label("Choose recordings").set_input_files(files=[letter, empty, good])
    expect(entry(page, "letter.wav").get_by_role("alert")).to_contain_text("It is a text file.")
    expect(entry(page, "empty.mp3").get_by_role("alert")).to_contain_text("The file is empty.")
    expect(entry(page, "gardener").get_by_text("Done")).to_be_visible(timeout=20_000)
    checker.check("upload")
    entry(page, "letter.wav").get_by_role("button", name="Dismiss").click()
    expect(entry(page, "letter.wav")).to_be_hidden()
    page.reload()
    expect(entry(page, "gardener")).to_be_visible()
    expect(entry(page, "letter.wav")).to_be_hidden()
