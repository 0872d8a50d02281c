"""End-to-end tests with a small checkpoint: a separate `manage.py inference` process, Redis, several WebSockets."""

import asyncio
import json

import pytest
from playwright.sync_api import expect

from tests.inference.engines.stt.test_moshi_stt import speech_like
from tests.support.clients.sockets import live_socket, stored_words, tickets
from tests.support.pages.page_actions import sign_up, start, stop
from tests.support.pages.screenshots import PageChecker

pytestmark = [pytest.mark.models, pytest.mark.slow]

SECONDS = 4
SPEAKERS = 3


@pytest.fixture
def site(start_site, redis_server, stt_checkpoint):
    site = start_site(
        0,
        REDIS_URL=redis_server.url,
        STT_ENGINE="stt-1b-en_fr",
        STT_MODEL=str(stt_checkpoint),
        STT_SLOTS=str(SPEAKERS),
        MOSHI_DEVICE="cpu",
        MOSHI_DTYPE="float32",
        OMP_NUM_THREADS="1",
    )
    site.add_inference("--preset", "stt-1b-en_fr")
    site.wait_until_ready()
    return site


async def test_concurrent_speakers_have_the_words_that_they_have_alone(site):
    assert f"Engine Kyutai STT 1B, {SPEAKERS} slots" in site.log
    speeches = [speech_like(int(SECONDS * 12.5), seed=seed) for seed in range(SPEAKERS)]
    ticket = iter(tickets(site, 2 * SPEAKERS))
    together = await asyncio.gather(*(transcribe(site, next(ticket), pcm) for pcm in speeches))
    alone = [await transcribe(site, next(ticket), pcm) for pcm in speeches]
    assert together == alone
    assert len({tuple(words) for words in together}) == SPEAKERS
    assert all(len(words) > 3 for words in together)


async def transcribe(site, ticket, pcm):
    """The words of a stream, which are also those that are stored."""
    async with live_socket(site, ticket) as socket:
        ready = await socket.start()
        await socket.send_audio(pcm, pace=0.02)
        await socket.stop(within=40)
        words = socket.words()
        steps = [message for message in socket.received if message["type"] == "step"]
        assert len(steps) == len(pcm) // 3840
        assert " ".join(stored_words(site, ready["session"])) == " ".join(" ".join(words).split())
        return words


def test_the_page_sets_endpointing_and_draws_the_predicted_pauses(
    request, start_site, open_page, stt_checkpoint, speech
):
    site = start_site(
        STT_ENGINE="stt-1b-en_fr", STT_MODEL=str(stt_checkpoint), STT_SLOTS="1", MOSHI_DEVICE="cpu", OMP_NUM_THREADS="1"
    )
    page = open_page(site.url, microphone=speech.wav(48_000), reduced_motion="reduce")
    checker = PageChecker(page, request.config.getoption("--pictures"))
    sign_up(page, "ada@example.org")
    page.goto("/live/")
    panel = page.locator("#endpointing")
    panel.get_by_text("Pause detection").click()
    expect(panel.get_by_label("Pause")).to_have_value("1")
    checker.check("live-endpointing")
    panel.get_by_label("Pause").select_option("2 seconds")
    panel.get_by_label("Maximum seconds").fill("7")
    started = _start_messages(page)
    page.reload()
    expect(panel.get_by_label("Maximum seconds")).to_have_value("7")
    start(page)
    expect(page.locator("#heads")).to_be_visible(timeout=15_000)
    page.wait_for_timeout(3000)
    checker.check("live-heads")
    stop(page)
    assert started[-1]["endpointing"] == {"pause": 2, "threshold": 0.6, "min_words": 1, "max_turn": 7, "guard": True}
    page.reload()
    panel.get_by_text("Pause detection").click()
    panel.get_by_role("button", name="Reset to defaults").click()
    expect(panel.get_by_label("Maximum seconds")).to_have_value("30")


def _start_messages(page):
    """Collect the `start` messages that the page sends from now on."""
    sent = []

    def record(frame):
        if isinstance(frame, str) and (message := json.loads(frame))["type"] == "start":
            sent.append(message)

    page.on("websocket", lambda socket: socket.on("framesent", record))
    return sent
