"""Frameworks of voice agents: their services of OpenAI's and Deepgram's protocols."""

from functools import partial

import pytest

from tests.support.clients.third_party import Client, installed_apart, run

pytestmark = pytest.mark.slow

PIPECAT, LIVEKIT = installed_apart("pipecat-ai"), installed_apart("livekit-agents")
PIPECAT_OPENAI = Client("Pipecat", "PyPI: pipecat-ai", "OpenAI", PIPECAT)
PIPECAT_DEEPGRAM = Client("Pipecat", "PyPI: pipecat-ai", "Deepgram", PIPECAT)
LIVEKIT_OPENAI = Client("LiveKit Agents", "PyPI: livekit-agents", "OpenAI", LIVEKIT)
LIVEKIT_DEEPGRAM = Client("LiveKit Agents", "PyPI: livekit-agents", "Deepgram", LIVEKIT)

pipecat, livekit = partial(partial, run, "pipecat_services.py"), partial(partial, run, "livekit_plugins.py")


@pytest.mark.client(PIPECAT_OPENAI, "recordings")
def test_pipecat_transcribes_segments_with_openais_protocol(transcribes):
    transcribes(pipecat("openai-recordings"))


@pytest.mark.client(PIPECAT_OPENAI, "live speech")
def test_pipecat_transcribes_live_with_openais_protocol(transcribes):
    transcribes(pipecat("openai-live"))


@pytest.mark.client(PIPECAT_OPENAI, "synthesis")
def test_pipecat_speaks_with_openais_protocol(speaks):
    speaks(pipecat("openai-synthesis"))


@pytest.mark.client(PIPECAT_DEEPGRAM, "live speech")
def test_pipecat_transcribes_live_with_deepgrams_protocol(transcribes):
    transcribes(pipecat("deepgram-live"))


@pytest.mark.client(PIPECAT_DEEPGRAM, "synthesis")
@pytest.mark.parametrize("service", ["deepgram-synthesis", "deepgram-http-synthesis"])
def test_pipecat_speaks_with_deepgrams_protocol(speaks, service):
    speaks(pipecat(service))


@pytest.mark.client(LIVEKIT_OPENAI, "recordings")
def test_livekit_transcribes_segments_with_openais_protocol(transcribes):
    transcribes(livekit("openai-recordings"))


@pytest.mark.client(LIVEKIT_OPENAI, "live speech")
def test_livekit_transcribes_live_with_openais_protocol(transcribes):
    transcribes(livekit("openai-live"))


@pytest.mark.client(LIVEKIT_OPENAI, "synthesis")
def test_livekit_speaks_with_openais_protocol(speaks):
    speaks(livekit("openai-synthesis"))


@pytest.mark.client(LIVEKIT_DEEPGRAM, "recordings")
def test_livekit_transcribes_segments_with_deepgrams_protocol(transcribes):
    transcribes(livekit("deepgram-recordings"))


@pytest.mark.client(LIVEKIT_DEEPGRAM, "live speech")
def test_livekit_transcribes_live_with_deepgrams_protocol(transcribes):
    transcribes(livekit("deepgram-live"))


@pytest.mark.client(LIVEKIT_DEEPGRAM, "synthesis")
def test_livekit_speaks_with_deepgrams_protocol(speaks):
    speaks(livekit("deepgram-synthesis"))
