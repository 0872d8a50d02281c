"""Last resorts: whatever raises an error that nothing foresees, the client gets a clear end, and never a hang or what
looks like a complete response.

All jobs, streams and downloads of the site fail (`tests/support/servers/faults.py`). A WebSocket or a URL that is new
must be added here.
"""

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from typing import Any

import httpx
import msgpack
import pytest
import websockets
from autobahn.websocket.protocol import WebSocketProtocol
from django.urls import resolve

from speech.dialects.routing import websocket_urlpatterns
from speech.errors import CloseCode, InternalError
from speech.library.exports import FORMATS
from tests.accounts.site_urls import all_urls
from tests.support.clients.api import wav_of
from tests.support.clients.sockets import tickets
from tests.support.clients.tokens import issue_token
from tests.support.clients.uploads import CSRF, LOG_IN
from tests.support.servers.faults import AT_ONCE
from tests.support.servers.site import Site
from tests.support.speech.checksum_audio import noise

PATIENCE = 30.0
"""Seconds after which a client counts as left hanging."""
PCM = noise(5)
START = json.dumps({"type": "start"})
REALTIME_AUDIO = json.dumps({"type": "input_audio_buffer.append", "audio": "AAAA"})
SOCKETS: dict[str, str | bytes] = {
    "ws/live/": START,
    "ws/talk/": START,
    "ws/voices/": START,
    "ws/pcm": PCM,
    "api/asr-streaming": msgpack.packb({"type": "Init"}),
    "api/tts_streaming": "Hello.",
    "v1/listen": PCM,
    "v1/speak": json.dumps({"type": "Speak", "text": "Hello."}),
    "v2/listen": PCM,
    "v1/realtime": REALTIME_AUDIO,
    "vosk": PCM,
    "whisper-live": json.dumps({"uid": "a client"}),
    "asr": PCM,
}
"""What starts the job of each WebSocket."""
RAW = "encoding=linear16&sample_rate=24000"
QUERIES = {"api/tts_streaming": "format=PcmMessagePack", "v1/listen": RAW, "v2/listen": RAW}

FILE = {"file": ("speech.wav", wav_of(PCM), "audio/wav")}
SPEECH = {"input": "Hello.", "model": "tts-1", "voice": "alloy"}
JOBS: dict[str, list[dict[str, Any]]] = {
    "openai_transcriptions": [{"files": FILE}, {"files": FILE, "data": {"stream": "true"}}],
    "openai_translations": [{"files": FILE}],
    "openai_speech": [{"json": SPEECH}, {"json": SPEECH | {"stream_format": "sse"}}],
    "asr_streaming": [{"content": wav_of(PCM)}],
    "tts_streaming": [{"json": {"text": "Hello.", "voice": ""}}],
    "tts": [{"json": {"text": ["Hello."]}}],
    "whisper_cpp_inference": [{"files": FILE}],
    "deepgram_recorded": [{"content": wav_of(PCM)}],
    "deepgram_speak": [{"json": {"text": "Hello."}}],
}
"""Requests to each URL of an API that transcribes or synthesizes."""
WITHOUT_JOB = {"openai_client_secrets", "openai_models", "openai_model", "openai_speech_models", "openai_voices"}
DOWNLOADS = {
    "transcript": tuple(FORMATS),
    "api_session_export": tuple(FORMATS),
    "api_session_audio": ("wav", "flac"),
    "session_flac": ("",),
    "session_wav": ("",),
    "session_peaks": ("",),
    "shared_flac": ("",),
    "shared_wav": ("",),
    "shared_peaks": ("",),
    "transcripts": ("",),
    "download_all": ("",),
}
"""Each URL of a download, and its extensions."""
IS_DOWNLOAD = re.compile(r"/(transcript|audio|peaks|download)")
OTHERS_DOWNLOADS = {"mfa_download_recovery_codes"}
CREATE = """
from datetime import timedelta
from django.utils import timezone
from accounts.models import User
from speech.models import Session, Share
user = User.objects.get(email={email!r})
now = timezone.now()
times = dict(started_at=now, ended_at=now, samples=24000)
session = Session.objects.create(owner=user, title={title!r}, saves_audio=True, **times)
Share.objects.create(session=session, token=session.pk.hex, has_audio=True, expires_at=now + timedelta(days=1))
print(session.pk)
"""


@pytest.fixture(scope="module")
def faulty_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    environment = {
        "DJANGO_SETTINGS_MODULE": "tests.support.servers.faulty_settings",
        "STT_ENGINE": "checksum",
        "TTS_ENGINE": "tones",
        "STREAMS_PER_USER": "100",
    }
    site = Site(tmp_path_factory.mktemp("site"), environment)
    try:
        site.wait_until_ready()
        yield site
    finally:
        site.stop()
        print(site.log)


# --- The site's parts -------------------------------------------------------------------------------------------------


@cache
def socket_paths() -> list[str]:
    return [str(pattern.pattern) for pattern in websocket_urlpatterns]


def test_every_websocket_and_every_url_of_a_job_or_a_download_is_tested():
    urls = all_urls()
    jobs = {url.name for url in urls if getattr(resolve(url.path).func, "is_api_view", False)}
    downloads = {url.name for url in urls if IS_DOWNLOAD.search(url.path)} - jobs - OTHERS_DOWNLOADS
    assert set(socket_paths()) == SOCKETS.keys(), "Add the WebSocket to SOCKETS."
    assert jobs - WITHOUT_JOB == JOBS.keys(), "Add the URL to JOBS."
    assert downloads == DOWNLOADS.keys(), "Add the URL to DOWNLOADS."


@pytest.mark.parametrize("code", CloseCode)
def test_the_websocket_library_sends_every_close_code(code):
    class Protocol(WebSocketProtocol):
        def sendCloseFrame(self, code: int, **_: Any) -> None:
            self.sent = code

    protocol = Protocol()
    protocol.sendClose(int(code))
    assert protocol.sent == code


# --- WebSockets -------------------------------------------------------------------------------------------------------


async def end_of(site: Site, path: str, token: str, ticket: str) -> tuple[int, str, str]:
    """The code, the reason and the last message of a WebSocket whose job fails."""
    is_page = path.startswith("ws/") and path.endswith("/")
    query = f"ticket={ticket}" if is_page else QUERIES.get(path, "")
    headers = {} if is_page else {"Authorization": f"Bearer {token}"}
    url = f"{site.url.replace('http', 'ws')}/{path}?{query}"
    last: str | bytes = ""
    async with websockets.connect(url, additional_headers=headers, origin=site.url) as socket:
        with suppress(websockets.ConnectionClosed):  # some fail before they receive anything
            await socket.send(SOCKETS[path])
        with suppress(websockets.ConnectionClosed):
            while True:
                last = await socket.recv()
        text = last if isinstance(last, str) else str(msgpack.unpackb(last))
        return socket.close_code or 0, socket.close_reason or "", text


def test_a_job_that_raises_ends_its_websocket_with_an_error_and_a_reason(faulty_site):
    async def ends() -> dict[str, tuple[int, str, str]]:
        async with asyncio.timeout(PATIENCE):
            paths = socket_paths()
            all_ends = [
                end_of(faulty_site, path, token, ticket) for path, ticket in zip(paths, all_tickets, strict=True)
            ]
            return dict(zip(paths, await asyncio.gather(*all_ends), strict=True))

    token, all_tickets = issue_token(faulty_site), tickets(faulty_site, len(socket_paths()))
    for path, (code, reason, last) in asyncio.run(ends()).items():
        assert (code, reason) == (CloseCode.FAILED, InternalError.what), path
        assert InternalError.what in last, path
        assert InternalError.why in last, path


# --- HTTP -------------------------------------------------------------------------------------------------------------


async def outcome_of(request: Any) -> str:
    """“broken” if the connection ends before the response does, an error's text, or “complete”."""
    try:
        response: httpx.Response = await request
    except (httpx.RemoteProtocolError, httpx.ReadError):
        return "broken"
    last = response.text.strip().rpartition("data: ")[2]
    if response.status_code >= 500 or '"type": "error"' in last:
        return last
    return f"complete: {response.status_code} {last[:200]}"


def is_clear(outcome: str) -> bool:
    """It says what happened and why; OpenAI's errors do not say what to do."""
    return "omething went wrong" in outcome and re.search("log|administrator", outcome) is not None


def test_a_job_that_raises_ends_its_http_response_with_an_error_or_breaks_it(faulty_site):
    headers = {"Authorization": f"Bearer {issue_token(faulty_site)}"}
    paths = {url.name: url.path for url in all_urls() if url.name in JOBS}
    requests = [(name, options) for name, all_options in JOBS.items() for options in all_options]

    async def outcomes() -> list[str]:
        async with httpx.AsyncClient(base_url=faulty_site.url, headers=headers, timeout=PATIENCE) as http:
            return await asyncio.gather(*(outcome_of(http.post(paths[name], **options)) for name, options in requests))

    for (name, options), outcome in zip(requests, asyncio.run(outcomes()), strict=True):
        assert outcome == "broken" or is_clear(outcome), (name, options.keys(), outcome)
        if "sse" in str(options) or "stream" in str(options.get("data")):
            assert '"type": "error"' in outcome, name


@pytest.mark.parametrize("title", [AT_ONCE, pytest.param("fails later", marks=pytest.mark.slow)])
def test_a_download_that_raises_is_an_error_page_or_breaks(faulty_site, title):
    def cookies_of(email: str) -> dict[str, str]:
        return {"sessionid": faulty_site.shell(LOG_IN.format(email=email)), "csrftoken": CSRF}

    sessions, cookies = {}, {}
    for name in ("reader", "transcripts", "download_all"):  # an account downloads one archive at a time
        email = f"{name}-{len(title)}@example.org"
        cookies[name] = cookies_of(email)
        sessions[name] = faulty_site.shell(CREATE.format(email=email, title=title))
    paths = {url.name: url.path for url in all_urls() if url.name in DOWNLOADS}

    async def outcome(name: str, extension: str) -> str:
        reader = name if name in sessions else "reader"
        session = sessions[reader]
        path = paths[name].replace("/x/", f"/{session.replace('-', '')}/")
        path = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", session, path).replace(".x", f".{extension}")
        headers = {"X-CSRFToken": CSRF, "Origin": faulty_site.url}
        async with httpx.AsyncClient(
            base_url=faulty_site.url, cookies=cookies[reader], headers=headers, timeout=PATIENCE
        ) as http:
            if name.startswith("shared"):
                await http.get(path.rpartition("/")[0] + "/")
            if reader == name:
                results = [
                    await outcome_of(http.post(path, data={"format": "txt", "session": session})) for _ in range(2)
                ]
                assert results[0] == results[1], "the first archive counts as running"
                return results[0]
            return await outcome_of(http.get(path))

    async def outcomes() -> dict[tuple[str, str], str]:
        requests = [(name, extension) for name, extensions in DOWNLOADS.items() for extension in extensions]
        return dict(zip(requests, await asyncio.gather(*(outcome(*each) for each in requests)), strict=True))

    for request, result in asyncio.run(outcomes()).items():
        assert result == "broken" or is_clear(result), (request, result)
        if title == AT_ONCE and "transcript" in request[0]:
            assert result != "broken", request
