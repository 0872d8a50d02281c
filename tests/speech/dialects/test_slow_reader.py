import asyncio
import json
import socket
import time
from contextlib import suppress
from urllib.parse import urlsplit

import psutil
import pytest
import websockets

from tests.support.clients.sockets import live_socket, tickets
from tests.support.clients.tokens import issue_token
from tests.support.speech.checksum_audio import noise, words_of

pytestmark = pytest.mark.slow

TOO_MANY = 40_000  # pings: a megabyte of answers


def socket_with_small_buffer(site):
    """Connection with a small receive buffer."""
    address = urlsplit(site.url)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 1024)
    connection.connect((address.hostname, address.port))
    return connection


async def test_a_client_that_does_not_read_is_closed_and_affects_no_other_client(start_site):
    site = start_site(STT_ENGINE="checksum")
    one, two = tickets(site, 2)
    async with live_socket(site, one) as neighbor, live_socket(site, two, sock=socket_with_small_buffer(site)) as slow:
        await neighbor.start()
        speaking = asyncio.create_task(neighbor.send_audio(noise(100), pace=0.02))
        await slow.start()
        slow.socket.transport.pause_reading()
        with suppress(websockets.ConnectionClosed):  # the server may close before all are sent
            for at in range(TOO_MANY):
                await slow.send(type="ping", at=at)
        await asyncio.to_thread(site.web.wait_until, lambda: "reads too slowly" in site.log, 180)
        slow.socket.transport.abort()
        await speaking
        await neighbor.stop()
    assert neighbor.words() == words_of(noise(100))


async def test_a_client_that_reads_only_after_it_has_sent_everything_gets_every_word(start_site):
    site, pcm, words = start_site(STT_ENGINE="checksum"), noise(4 * 60 * 25 // 2), []
    url = f"{site.url.replace('http', 'ws')}/ws/pcm?token={issue_token(site)}"
    async with asyncio.timeout(120), websockets.connect(url, sock=socket_with_small_buffer(site)) as client:
        client.transport.pause_reading()
        for start in range(0, len(pcm), 8_000):
            await client.send(pcm[start : start + 8_000])
        await client.send('{"type": "stop"}')
        client.transport.resume_reading()
        async for message in client:
            if (event := json.loads(message))["type"] == "word":
                words.append(event["text"])
    assert words == words_of(pcm)


LONG = 1_200  # seconds of audio: 58 MB
SILENCE = """
from accounts.models import User
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone
from speech.models import Session
from speech.library.recording import Recording
user = User.objects.create_superuser('slow@example.org')
session = Session.objects.create(owner=user, started_at=timezone.now(), saves_audio=True)
folder = Recording(session.pk).folder
folder.mkdir(parents=True)
with (folder / '000000-000000000000.pcm').open('wb') as file: file.truncate(%d)
store = SessionStore()
store.update({SESSION_KEY: str(user.pk), HASH_SESSION_KEY: user.get_session_auth_hash(),
    BACKEND_SESSION_KEY: 'allauth.account.auth_backends.AuthenticationBackend'})
store.save()
print(session.pk, store.session_key)
"""


def test_a_download_is_not_buffered_for_a_slow_reader(start_site):
    site = start_site(STT_ENGINE="checksum")
    session, cookie = site.shell(SILENCE % (2 * 24_000 * LONG)).split()
    address = urlsplit(site.url)
    process = psutil.Process(site.web.process.pid)
    with socket.create_connection((address.hostname, address.port)) as client:
        before = process.memory_info().rss
        client.sendall(
            f"GET /sessions/{session}/audio.wav HTTP/1.1\r\nHost: {address.netloc}\r\n"
            f"Cookie: sessionid={cookie}\r\nConnection: close\r\n\r\n".encode()
        )
        time.sleep(3)
        assert process.memory_info().rss - before < 20_000_000
        received = 0
        while part := client.recv(1 << 20):
            received += len(part)
    assert received > 2 * 24_000 * LONG
