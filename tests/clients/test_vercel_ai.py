"""Vercel's AI SDK for JavaScript, with its OpenAI provider."""

from pathlib import Path

import pytest

from tests.clients.conftest import SENTENCE
from tests.support.clients import npm
from tests.support.clients.third_party import Client, output
from tests.support.servers import programs

pytestmark = pytest.mark.slow

PACKAGES = ("ai@7", "@ai-sdk/openai@4")
TRANSCRIBE = """
import { readFile } from "node:fs/promises"
import { createOpenAI } from "@ai-sdk/openai"
import * as ai from "ai"
const [baseURL, apiKey, path] = process.argv.slice(1)
const openai = createOpenAI({ baseURL, apiKey })
const transcribe = ai.transcribe ?? ai.experimental_transcribe
const { text } = await transcribe({ model: openai.transcription("whisper-1"), audio: await readFile(path) })
console.log(text)
"""
SPEAK = """
import { writeFile } from "node:fs/promises"
import { createOpenAI } from "@ai-sdk/openai"
import * as ai from "ai"
const [baseURL, apiKey, path, text] = process.argv.slice(1)
const openai = createOpenAI({ baseURL, apiKey })
const generateSpeech = ai.generateSpeech ?? ai.experimental_generateSpeech
const { audio } = await generateSpeech({ model: openai.speech("tts-1"), voice: "alloy", text, outputFormat: "pcm" })
await writeFile(path, audio.uint8Array)
"""


@pytest.fixture(scope="module")
def packages(tmp_path_factory) -> Path:
    return npm.install(tmp_path_factory.mktemp("npm"), *PACKAGES)


VERCEL = Client("Vercel AI SDK", "npm: @ai-sdk/openai", "OpenAI", npm.version_of("@ai-sdk/openai"))


def run(packages, code, *arguments):
    return output([programs.node(), "--input-type=module", "-e", code, *arguments], cwd=packages)


@pytest.mark.client(VERCEL, "recordings")
def test_vercels_sdk_transcribes(packages, transcribes):
    transcribes(lambda url, token, recording: run(packages, TRANSCRIBE, f"{url}/v1", token, recording))


@pytest.mark.client(VERCEL, "synthesis")
def test_vercels_sdk_speaks(packages, speaks):
    speaks(lambda url, token, speech: run(packages, SPEAK, f"{url}/v1", token, speech, SENTENCE))
