"""The whole way with a small checkpoint: `manage.py inference` in a process of its own, Redis, and several sockets."""

import asyncio
import json

import pytest
from playwright.sync_api import expect

from tests.inference.engines.stt.test_moshi_stt import speech_like
from tests.support.clients.sockets import live_socket, stored_words, tickets
from tests.support.pages.page_actions import sign_up, start, stop
from tests.support.pages.screenshots import Camera

pytestmark = pytest.mark.slow

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


async def test_several_speakers_at_once_are_heard_as_each_alone(site):
    assert f"Engine Kyutai STT 1B, {SPEAKERS} slots" in site.log
    speeches = [speech_like(int(SECONDS * 12.5), seed=seed) for seed in range(SPEAKERS)]
    ticket = iter(tickets(site, 2 * SPEAKERS))
    together = await asyncio.gather(*(_heard(site, next(ticket), pcm) for pcm in speeches))
    alone = [await _heard(site, next(ticket), pcm) for pcm in speeches]
    assert together == alone
    assert len({tuple(words) for words in together}) == SPEAKERS
    assert all(len(words) > 3 for words in together)


async def _heard(site, ticket, pcm):
    async with live_socket(site, ticket) as socket:
        ready = await socket.start()
        await socket.say(pcm, pace=0.02)
        await socket.stop(within=40)
        words = socket.words()
        steps = [message for message in socket.heard if message["type"] == "step"]
        assert len(steps) == len(pcm) // 3840
        assert " ".join(stored_words(site, ready["session"])) == " ".join(" ".join(words).split())
        return words


def test_end_points_are_tuned_on_the_page_and_pauses_drawn_as_they_are_foreseen(
    request, start_site, open_page, stt_checkpoint, speech
):
    site = start_site(
        STT_ENGINE="stt-1b-en_fr", STT_MODEL=str(stt_checkpoint), STT_SLOTS="1", MOSHI_DEVICE="cpu", OMP_NUM_THREADS="1"
    )
    page = open_page(site.url, microphone=speech.wav(48_000), reduced_motion="reduce")
    camera = Camera(page, request.config.getoption("--pictures"))
    sign_up(page, "ada@example.org")
    page.goto("/live/")
    tuning = page.locator("#endpointing")
    tuning.get_by_text("When an utterance ends").click()
    expect(tuning.get_by_label("Pause")).to_have_value("0.5")
    camera.look("live-endpointing")
    tuning.get_by_label("Pause").select_option("2 seconds")
    tuning.get_by_label("Seconds at most").fill("7")
    started = _started(page)
    page.reload()
    expect(tuning.get_by_label("Seconds at most")).to_have_value("7")
    start(page)
    expect(page.locator("#heads")).to_be_visible(timeout=15_000)
    page.wait_for_timeout(3000)
    camera.look("live-heads")
    stop(page)
    assert started[-1]["endpointing"] == {"pause": 2, "threshold": 0.6, "min_words": 1, "max_turn": 7, "guard": True}
    page.reload()
    tuning.get_by_text("When an utterance ends").click()
    tuning.get_by_role("button", name="As the engine has it").click()
    expect(tuning.get_by_label("Seconds at most")).to_have_value("30")


def _started(page):
    """The `start` messages that the page sends from now on."""
    sent = []

    def note(message):
        if isinstance(message, str) and (told := json.loads(message))["type"] == "start":
            sent.append(told)

    page.on("websocket", lambda socket: socket.on("framesent", note))
    return sent
