"""The language models that are offered, and their health."""

from urllib.parse import urlsplit

import openai
import pytest

from speech.llm import demo, demo_process, discovery
from speech.llm.catalog import available_models, language_model, model_statuses
from speech.llm.config import Message
from speech.llm.discovery import LocalServer
from speech.llm.errors import ModelMissing, ModelNotFound, NoModel
from tests.support.servers.language_model import running_language_model
from tests.support.servers.language_model_script import Ending, Refusal, Reply
from tests.support.servers.ports import free_port
from tests.support.speech.language_models import info_of

DEMO = info_of("http://demo/v1", name="demo", label="Demo", is_demo=True)


@pytest.fixture(autouse=True)
def without_models(settings, monkeypatch):
    """No model is configured or installed, and none is found before a test says so."""
    settings.LLM_MODELS = []
    settings.LLM_DISCOVER = True
    monkeypatch.setattr(demo, "info", lambda: None)
    monkeypatch.setattr(discovery, "LOCAL_SERVERS", ())


@pytest.fixture
def on_this_machine(monkeypatch):
    """Discover these servers at the port of Ollama, of llama.cpp and so on."""

    def place(*servers):
        keys = [("ollama", "Ollama"), ("llama.cpp", "llama.cpp"), ("vllm", "vLLM")]
        found = [LocalServer(*key, port_of(server)) for key, server in zip(keys, servers, strict=False)]
        monkeypatch.setattr(discovery, "LOCAL_SERVERS", tuple(found))

    return place


def port_of(server):
    return urlsplit(server.url).port


def names(models):
    return [info.name for info in models]


async def test_configured_models_come_first_then_those_found_and_last_the_demo(settings, on_this_machine, monkeypatch):
    settings.LLM_MODELS = [info_of("http://gpu.example.org/v1", name="large")]
    monkeypatch.setattr(demo, "info", lambda: DEMO)
    with running_language_model(models=["llama3.2", "phi3"]) as server:
        on_this_machine(server)
        models = await available_models()
        chosen = await language_model("ollama:phi3")
    assert names(models) == ["large", "ollama:llama3.2", "ollama:phi3", "demo"]
    assert models[1].label == "llama3.2 (Ollama)"
    assert chosen.info.model == "phi3"
    assert (await language_model("")).info.name == "large"


async def test_models_that_do_not_answer_are_left_out(on_this_machine):
    found = ["nomic-embed-text", "all-minilm:l6", "bge-m3", "whisper-large-v3", "tts-1", "tinyllama", "qwen3:8b"]
    with running_language_model(models=found) as server:
        on_this_machine(server)
        assert names(await available_models()) == ["ollama:tinyllama", "ollama:qwen3:8b"]


async def test_the_path_of_a_file_is_shortened(on_this_machine):
    with running_language_model(models=["/srv/models/gemma-3.Q4_0.gguf"]) as server:
        on_this_machine(server)
        (info,) = await available_models()
    assert (info.name, info.model) == ("ollama:gemma-3.Q4_0", "/srv/models/gemma-3.Q4_0.gguf")


@pytest.mark.parametrize(
    "answer",
    [
        Refusal(200, body="<html>Welcome"),
        Refusal(200, body='{"data": 7}'),
        Refusal(200, body='["llama"]'),
        Refusal(200, body='{"data": [{"name": "llama"}]}'),
        Refusal(200, body='{"object": "list", "data": null}'),
        Refusal(401),
        Refusal(404),
        Refusal(500),
    ],
)
async def test_servers_for_something_else_are_ignored(on_this_machine, answer):
    with running_language_model() as server:
        server.model_list = answer
        on_this_machine(server)
        assert await available_models() == []


async def test_a_server_that_does_not_answer_is_left_out(on_this_machine, monkeypatch):
    monkeypatch.setattr(discovery, "LOCAL_TIMEOUT", 0.05)
    with running_language_model(models=["slow"]) as server:
        server.model_list = Ending.STALL
        on_this_machine(server)
        assert await available_models() == []


async def test_the_site_does_not_ask_itself(settings, on_this_machine):
    with running_language_model() as server:
        on_this_machine(server)
        settings.PORT = port_of(server)
        assert await available_models() == []
        assert server.list_requests == []


async def test_a_configured_server_is_not_offered_twice(settings, on_this_machine):
    with running_language_model() as server:
        settings.LLM_MODELS = [info_of(server.url.replace("127.0.0.1", "localhost"), name="default")]
        on_this_machine(server)
        assert names(await available_models()) == ["default"]


async def test_discovery_can_be_turned_off(settings, on_this_machine):
    settings.LLM_DISCOVER = False
    with running_language_model() as server:
        on_this_machine(server)
        assert await available_models() == []
        assert server.list_requests == []


async def test_servers_are_asked_once_for_some_seconds(on_this_machine):
    with running_language_model() as server:
        on_this_machine(server)
        await available_models()
        await available_models()
        assert len(server.list_requests) == 1


async def test_a_model_without_a_name_is_the_first_of_its_server(settings):
    with running_language_model(models=["embed", "llama"]) as server:
        settings.LLM_MODELS = [info_of(server, model="", label="")]
        (info,) = await available_models()
    assert (info.model, info.label) == ("llama", "llama")


async def test_without_any_model_there_is_an_error():
    with pytest.raises(NoModel):
        await language_model("")


async def test_an_unknown_name_is_an_error(settings):
    settings.LLM_MODELS = [info_of("http://gpu.example.org/v1")]
    with pytest.raises(ModelNotFound):
        await language_model("ollama:none")


async def test_health(settings, monkeypatch):
    monkeypatch.setattr(demo, "info", lambda: DEMO)
    with running_language_model(models=["scripted"], api_key="right") as server, running_language_model() as plain:
        plain.model_list = Refusal(404)
        settings.LLM_MODELS = [
            info_of(server, name="good", api_key="right"),
            info_of(server, name="wrong key", api_key="wrong"),
            info_of(server, name="wrong model", api_key="right", model="other"),
            info_of(plain, name="without a list"),
            info_of(f"http://127.0.0.1:{free_port()}/v1", name="dead"),
        ]
        statuses = {status.info.name: status for status in await model_statuses()}
        assert server.requests == []  # no text is generated for it
    assert {name: status.error for name, status in statuses.items()} == {
        "good": "",
        "wrong key": "Its server rejected this site's API key.",
        "wrong model": "Its server doesn't have the model “other”.",
        "without a list": "",
        "dead": "Its server isn't running, or there is no connection to it.",
        "demo": "",
    }
    assert [name for name, status in statuses.items() if status.is_default] == ["good"]
    assert statuses["good"].latency > 0


async def test_health_has_the_latest_reply(settings):
    with running_language_model(Reply("Fine."), Refusal(404)) as server:
        settings.LLM_MODELS = [info_of(server)]
        model = await language_model("")
        question = [Message("user", "How are you?")]
        assert [text async for text in model.stream(question)] == ["Fine."]
        (status,) = await model_statuses()
        assert status.error == ""
        assert status.first_token > 0
        with pytest.raises(ModelMissing):
            await anext(model.stream(question))
        (status,) = await model_statuses()
        assert status.error == ModelMissing.what


async def test_the_demo_gets_its_own_prompt_and_client(monkeypatch):
    with running_language_model(Reply("Hello!")) as server:

        async def client():
            return openai.AsyncOpenAI(base_url=server.url, api_key="demo", max_retries=0)

        monkeypatch.setattr(demo, "info", lambda: DEMO)
        monkeypatch.setattr(demo_process, "openai_client", client)
        model = await language_model("demo")
        assert [text async for text in model.stream([Message("system", "Be a pirate."), Message("user", "Hi.")])]
        assert ("system", "Be a pirate.") not in server.requests[0].messages
        assert server.requests[0].messages[-1] == ("user", "Hi.")
