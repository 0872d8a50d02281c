"""Every API names what it was sent in place of a recording, and transcribes one whose header lies."""

from collections.abc import Callable

import pytest

from tests.support.clients.api import wav_of
from tests.support.clients.http import Response, request
from tests.support.servers.site import Site
from tests.support.speech.checksum_audio import noise, words_of
from tests.support.speech.recordings import sine

BOUNDARY = "recording"
PCM = noise(12)


def to_openai(site: Site, token: str, content: bytes) -> Response:
    part = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="talk.wav"\r\n\r\n'.encode()
    body = part + content + f"\r\n--{BOUNDARY}--\r\n".encode()
    headers = {"Authorization": f"Bearer {token}", "Content_Type": f"multipart/form-data; boundary={BOUNDARY}"}
    return request(site, "/v1/audio/transcriptions", body, **headers)


def to_deepgram(site: Site, token: str, content: bytes) -> Response:
    return request(site, "/v1/listen", content, Authorization=f"Token {token}", Content_Type="audio/wav")


def to_kyutai(site: Site, token: str, content: bytes) -> Response:
    return request(site, "/api/asr-streaming", content, kyutai_api_key=token)


def truncated_m4a(folder) -> bytes:
    return sine(folder / "talk.m4a").read_bytes()[:20_000]


KINDS = {
    "ZIP archive": lambda folder: b"PK\3\4" + bytes(500),
    "text file": lambda folder: b"Dear Ada, this is no recording.",
    "ends before its index": truncated_m4a,
}
slow = pytest.mark.slow


@pytest.mark.parametrize("send", [to_openai, to_deepgram, to_kyutai])
@pytest.mark.parametrize("kind", ["ZIP archive", *(pytest.param(kind, marks=slow) for kind in list(KINDS)[1:])])
def test_a_file_that_is_no_recording_is_named(
    site: Site, token: str, send: Callable[[Site, str, bytes], Response], kind: str, tmp_path
) -> None:
    response = send(site, token, KINDS[kind](tmp_path))
    assert response.status == (500 if send is to_kyutai else 400)  # as moshi-server
    assert kind in response.body.decode()


@pytest.mark.parametrize(
    "send", [to_openai, pytest.param(to_deepgram, marks=slow), pytest.param(to_kyutai, marks=slow)]
)
def test_audio_is_transcribed_whatever_the_header_says_of_its_size(
    site: Site, token: str, send: Callable[[Site, str, bytes], Response]
) -> None:
    whole = wav_of(PCM)
    never_patched = whole[:4] + bytes(4) + whole[8:40] + (0x7FF0_0001).to_bytes(4, "little") + whole[44:]
    text = send(site, token, never_patched).body.decode()
    assert [word for word in words_of(PCM) if word not in text] == []
