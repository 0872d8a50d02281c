"""Drain of a web process that is stopped with SIGTERM."""

import asyncio
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from inference.messages import BYTES_PER_SAMPLE, FRAME_BYTES
from tests.support.clients.sockets import live_socket, stored_words, tickets
from tests.support.speech.checksum_audio import noise, words_of

pytestmark = pytest.mark.slow


async def test_a_draining_process_finishes_its_streams_and_accepts_neither_connections_nor_audio(start_site):
    """Otherwise its clients would reconnect to it, and audio that arrives after the end would be lost."""
    site = await asyncio.to_thread(start_site, STT_ENGINE="checksum", TTS_ENGINE="")
    first, second = tickets(site, 2)
    pcm = noise(60)
    sent = 24 * FRAME_BYTES + 1000  # within a frame, which the engine fills up with silence
    async with live_socket(site, first) as stream:
        session = (await stream.start())["session"]
        await stream.send_audio(pcm[:sent])
        await stream.until("ack")
        with closing(sqlite3.connect(Path(site.env["DATA_DIR"], "db.sqlite3"), isolation_level=None)) as database:
            database.execute("BEGIN EXCLUSIVE")  # so that no words can be stored, and the process keeps running
            site.web.process.send_signal(signal.SIGTERM)
            await refused(site.url)
            await stream.send_audio(pcm[sent:])
            await stream.send(type="ping", at=0)
            await stream.until("pong")
            database.execute("ROLLBACK")
        await stream.closed()
    await asyncio.to_thread(site.web.process.wait, 30)
    await asyncio.to_thread(site.web.start)
    await asyncio.to_thread(site.wait_until_ready)
    async with live_socket(site, second) as stream:
        ready = await stream.start(session=session)
        await stream.send_audio(pcm[ready["position"] * BYTES_PER_SAMPLE :])
        await stream.send(type="stop")
        await stream.until("done")
    assert stored_words(site, session) == words_of(pcm)


async def refused(url):
    host, port = url.removeprefix("http://").split(":")
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection(host, int(port))
            except ConnectionRefusedError:
                return
            writer.close()
            await asyncio.sleep(0.02)
