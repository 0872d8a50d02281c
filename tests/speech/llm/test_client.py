"""Replies of a real small server: their text, requests, usage, and how a reply is cut."""

import asyncio
import threading

import pytest
from prometheus_client import REGISTRY

from speech.llm.client import LATEST_CALLS, LanguageModel, Usage
from speech.llm.config import Message
from tests.support.servers.language_model import running_language_model
from tests.support.servers.language_model_script import Ending, Raw, Reasoning, Refusal, Reply
from tests.support.speech.language_models import info_of

QUESTION = [Message("system", "Be brief."), Message("user", "How are you?")]

FINISH = Raw('{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}')


async def reply_of(model, messages=QUESTION):
    return [text async for text in model.stream(messages)]


async def test_text_arrives_while_it_is_generated():
    second = threading.Event()
    with running_language_model(Reply("Very", second, " well.")) as server:
        texts = LanguageModel(info_of(server)).stream(QUESTION)
        assert await anext(texts) == "Very"
        second.set()
        assert [text async for text in texts] == [" well."]


async def test_the_request_has_the_model_its_limits_and_its_extra_fields():
    with running_language_model(Reply("Fine.")) as server:
        info = info_of(server, max_tokens=50, temperature=0.1, extra_body={"reasoning_effort": "low"})
        await reply_of(LanguageModel(info))
        (request,) = server.requests
    assert request.messages == [("system", "Be brief."), ("user", "How are you?")]
    expected = {"model": "scripted", "max_tokens": 50, "temperature": 0.1, "reasoning_effort": "low", "stream": True}
    assert expected.items() <= request.body.items()


async def test_the_api_key_is_sent():
    with running_language_model(Reply("Fine."), api_key="key-1234") as server:
        assert await reply_of(LanguageModel(info_of(server, api_key="key-1234"))) == ["Fine."]


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning"])
async def test_reasoning_is_left_out(key):
    with running_language_model(Reply(Reasoning("Let me think.", key), "Four.")) as server:
        assert await reply_of(LanguageModel(info_of(server))) == ["Four."]


async def test_usage_is_that_of_the_server():
    reply = Reply("One", " two", " three.")
    with running_language_model(reply, reply) as server:
        model = LanguageModel(info_of(server))
        await reply_of(model)
        assert model.usage == Usage(prompt_tokens=5, completion_tokens=3)
        await reply_of(model)
    assert model.tokens == (10, 6)


async def test_tokens_are_counted_by_model_and_kind():
    def count(kind):
        return REGISTRY.get_sample_value("speech_llm_tokens_total", {"model": "economical", "kind": kind})

    with running_language_model(Reply("One", " two", " three.")) as server:
        await reply_of(LanguageModel(info_of(server, name="economical")))
    assert (count("prompt"), count("completion")) == (5, 3)


async def test_usage_is_estimated_if_the_server_reports_none():
    with running_language_model(Reply("x" * 40, Ending.NO_FINISH)) as server:
        model = LanguageModel(info_of(server))
        await reply_of(model)
    assert model.usage == Usage(prompt_tokens=5, completion_tokens=10, is_estimated=True)


async def test_closing_the_iterator_closes_the_response_at_once():
    with running_language_model(Reply("Well,", Ending.STALL)) as server:
        model = LanguageModel(info_of(server))
        texts = model.stream(QUESTION)
        await anext(texts)
        await texts.aclose()
        server.wait(lambda: server.requests[0].has_disconnected)
    assert model.usage is not None
    assert model.usage.is_estimated


@pytest.mark.parametrize("script", [(Ending.STALL,), ("Well,", Ending.STALL)], ids=["before the text", "in the text"])
async def test_cancellation_closes_the_response_at_once(script):
    with running_language_model(Reply(*script)) as server:
        task = asyncio.create_task(reply_of(LanguageModel(info_of(server))))
        await asyncio.to_thread(server.wait, lambda: server.requests)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(server.wait, lambda: server.requests[0].has_disconnected)


async def test_a_server_that_does_not_end_the_stream_after_the_text_does_no_harm(monkeypatch):
    monkeypatch.setattr("speech.llm.client.END_TIMEOUT", 0.05)
    with running_language_model(Reply("Fine.", FINISH, Ending.STALL)) as server:
        assert await reply_of(LanguageModel(info_of(server))) == ["Fine."]


@pytest.mark.parametrize(
    ("rejected", "sent"),
    [
        (["stream_options"], {"max_tokens", "temperature"}),
        (["max_tokens"], {"max_completion_tokens", "temperature", "stream_options"}),
        (["max_tokens", "temperature", "stream_options"], {"max_completion_tokens"}),
        (["max_tokens", "max_completion_tokens"], {"temperature", "stream_options"}),
    ],
)
async def test_parameters_that_the_server_rejects_are_left_out_from_then_on(rejected, sent):
    optional = {"max_tokens", "max_completion_tokens", "temperature", "stream_options"}
    with running_language_model(Reply("Fine."), Reply("Good."), rejects=rejected) as server:
        model = LanguageModel(info_of(server))
        assert await reply_of(model) == ["Fine."]
        assert await reply_of(LanguageModel(info_of(server))) == ["Good."]
        assert optional & set(server.requests[-1].body) == sent
        assert len(server.requests) == len(rejected) + 2


@pytest.mark.parametrize("retry_after", ["0", "0.01", "Thu, 01 Jan 1970 00:00:00 GMT", "soon", None])
async def test_a_busy_server_is_asked_once_more(monkeypatch, retry_after):
    monkeypatch.setattr("speech.llm.server_errors.RETRY_AFTER_LIMIT", 0.01)
    headers = {"Retry-After": retry_after} if retry_after else {}
    with running_language_model(Refusal(429, headers=headers), Reply("Fine.")) as server:
        assert await reply_of(LanguageModel(info_of(server))) == ["Fine."]


async def test_calls_are_counted_by_outcome_and_the_time_to_the_first_token_is_kept():
    name = "counted"

    def count(outcome):
        return REGISTRY.get_sample_value("speech_llm_requests_total", {"model": name, "outcome": outcome})

    with running_language_model(Reply("Fine."), Reply("Well,", Ending.STALL), Refusal(401)) as server:
        model = LanguageModel(info_of(server, name=name))
        await reply_of(model)
        assert LATEST_CALLS[name].first_token > 0
        texts = model.stream(QUESTION)
        await anext(texts)
        await texts.aclose()
        with pytest.raises(Exception, match="rejected"):
            await reply_of(model)
    assert [count("done"), count("closed"), count("not_allowed")] == [1, 1, 1]
    assert REGISTRY.get_sample_value("speech_llm_first_token_seconds_count", {"model": name}) == 2
    assert LATEST_CALLS[name].error == "The language model refused the request."
