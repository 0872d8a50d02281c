"""A body in chunks, without Content-Length, is the same request: for every parser, on every API of a running site."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

import pytest
from django.urls import resolve

from operations.connections.body_limit import DEFAULT_BODY
from tests.permissions.requests import SITE
from tests.support.clients.api import Access, access_to, wav_of
from tests.support.clients.http import Response
from tests.support.speech.checksum_audio import noise, words_of

CHUNK = 10_000
BOUNDARY = "boundary"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
PATIENCE = 30.0
PCM = noise(25, seed=41)
TRANSFERS = ("length", "chunked")


@pytest.fixture(scope="module")
def access(checksum_site) -> Access:
    return access_to(checksum_site, "chunks@example.org", "--scopes", "stt,tts,sessions")


def send(
    access: Access,
    transfer: str,
    path: str,
    body: bytes,
    content_type: str,
    method: str = "POST",
    headers: dict[str, str] | None = None,
) -> Response:
    """`headers`: instead of the token."""
    connection = HTTPConnection(urlsplit(access.url).netloc, timeout=PATIENCE)
    is_chunked = transfer == "chunked"
    chunks = (body[start : start + CHUNK] for start in range(0, len(body), CHUNK))
    headers = {**(headers or access.headers), "Content-Type": content_type}
    connection.request(method, path, chunks if is_chunked else body, headers, encode_chunked=is_chunked)
    response = connection.getresponse()
    answer = Response(response.status, dict(response.headers), response.read())
    connection.close()
    return answer


def form_of(file: bytes, **fields: str) -> bytes:
    """A form with a file, as multipart/form-data."""
    parts = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{fields[name]}' for name in fields]
    head = 'Content-Disposition: form-data; name="file"; filename="talk.wav"\r\nContent-Type: audio/wav'
    parts.append(f"--{BOUNDARY}\r\n{head}\r\n\r\n")
    return "\r\n".join(parts).encode() + file + f"\r\n--{BOUNDARY}--\r\n".encode()


@pytest.mark.parametrize("transfer", TRANSFERS)
def test_a_recording_in_a_form_is_transcribed(access, transfer):
    form = form_of(wav_of(PCM), model="whisper-1", response_format="text")
    response = send(access, transfer, "/v1/audio/transcriptions", form, MULTIPART)
    assert (response.status, response.body.decode().split()) == (200, words_of(PCM))


@pytest.mark.parametrize("transfer", TRANSFERS)
@pytest.mark.parametrize("path", ["/v1/listen", "/api/asr-streaming"])
def test_a_recording_as_the_body_is_transcribed(access, path, transfer):
    response = send(access, transfer, path, wav_of(PCM), "audio/wav")
    assert response.status == 200
    assert all(word in response.body.decode() for word in words_of(PCM))


@pytest.mark.parametrize("transfer", TRANSFERS)
def test_an_upload_is_created_and_sent(access, transfer):
    data = wav_of(PCM)
    body = json.dumps({"name": f"{transfer}.wav", "size": len(data)}).encode()
    created = send(access, transfer, "/api/v1/uploads/", body, JSON)
    assert (created.status, created.json["name"]) == (201, f"{transfer}.wav")
    path = f"/api/v1/uploads/{created.json['id']}/content/?offset=0"
    part = send(access, transfer, path, data, "application/octet-stream", "PUT")
    assert (part.status, part.json["received"]) == (200, len(data))


@pytest.mark.parametrize("transfer", TRANSFERS)
def test_a_page_receives_its_form(access, transfer):
    secret = "c" * 32
    form = urlencode({"csrfmiddlewaretoken": secret, "login": "no address", "password": "any"}).encode()
    headers = {"Cookie": f"csrftoken={secret}", "Origin": access.url}
    response = send(access, transfer, "/accounts/login/", form, FORM, headers=headers)
    assert response.status == 200
    assert "no address" in response.body.decode()


def json_endpoints() -> Iterator[tuple[str, str]]:
    """Path and method of all of the site's API methods that can have a JSON body."""
    yield from ((path, "POST") for path in ("/v1/audio/speech", "/v1/realtime/client_secrets", "/api/tts"))
    for url in SITE:
        view = getattr(resolve(url.path).func, "cls", None)
        yield from ((url.path, method.upper()) for method in ("post", "put", "patch") if hasattr(view, method))


def test_every_api_reads_the_same_json_with_and_without_a_length(access):
    """It is invalid, so that it changes nothing."""
    statuses = {}
    for path, method in json_endpoints():
        plain, chunked = (send(access, transfer, path, b'{"a": ', JSON, method) for transfer in TRANSFERS)
        assert (path, method, chunked.status) == (path, method, plain.status)
        statuses[method, path] = chunked.status
    invalid = {path for (_, path), status in statuses.items() if status == 400}
    assert invalid >= {"/api/v1/uploads/", "/api/v1/personas/", "/v1/audio/speech", "/v1/realtime/client_secrets"}


@pytest.mark.parametrize("content_type", [JSON, FORM, MULTIPART, "audio/wav"])
def test_a_body_in_chunks_over_the_limit_is_rejected(access, content_type):
    response = send(access, "chunked", "/api/v1/uploads/", bytes(DEFAULT_BODY + 1), content_type)
    assert (response.status, response.json["code"]) == (413, "too_large")
