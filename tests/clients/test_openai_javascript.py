"""OpenAI's package for JavaScript, which sends the form of a file stream in chunks, without Content-Length."""

import subprocess

import pytest

from tests.support.clients import npm
from tests.support.clients.api import access_to, wav_of
from tests.support.clients.third_party import Client
from tests.support.servers import programs
from tests.support.speech.checksum_audio import noise, words_of

pytestmark = pytest.mark.slow

VERSIONS = {"openai-4": "4.104.0", "openai-7": "7.59.0"}
"""The fourth has its own forms; later ones use the platform's."""
TRANSCRIBE = """
const { createReadStream } = await import("node:fs")
const [name, baseURL, apiKey, path] = process.argv.slice(1)
const { default: OpenAI } = await import(name)
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 })
const file = createReadStream(path)
console.log((await client.audio.transcriptions.create({ file, model: "whisper-1", language: "en" })).text)
"""


OPENAI = Client("OpenAI for JavaScript", "npm: openai", "OpenAI", npm.version_of(*VERSIONS))


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    names = [f"{name}@npm:openai@{version}" for name, version in VERSIONS.items()]
    return npm.install(tmp_path_factory.mktemp("npm"), *names)


@pytest.mark.client(OPENAI, "recordings")
@pytest.mark.parametrize("name", VERSIONS)
def test_a_file_stream_is_transcribed(checksum_site, packages, tmp_path, name):
    pcm, path = noise(500, seed=42), tmp_path / "talk.wav"  # two megabytes
    path.write_bytes(wav_of(pcm))
    access = access_to(checksum_site, "javascript@example.org")
    arguments = [name, f"{access.url}/v1", access.token, path]
    command = [programs.node(), "--input-type=module", "-e", TRANSCRIBE, *map(str, arguments)]
    done = subprocess.run(command, cwd=packages, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == words_of(pcm), done.stderr
