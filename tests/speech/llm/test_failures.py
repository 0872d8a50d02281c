"""Every way in which a language model's server can fail, and the error that its user gets."""

import logging

import pytest

from speech.llm import client, errors
from speech.llm.client import LanguageModel
from speech.llm.config import Message
from tests.support.servers.language_model import running_language_model
from tests.support.servers.language_model_script import Ending, Raw, Reasoning, Refusal, Reply
from tests.support.servers.ports import free_port
from tests.support.speech.language_models import info_of

KEY = "key-51b5c495"
SAID = "canarysentence"
QUESTION = [Message("user", SAID)]
SHORT = 0.05


@pytest.fixture(autouse=True)
def short_delays(monkeypatch):
    monkeypatch.setattr("speech.llm.server_errors.RETRY_AFTER_LIMIT", 0.01)
    monkeypatch.setattr("speech.llm.server_errors.RETRY_AFTER_UNREACHABLE", 0.01)


async def reply_of(model):
    return [text async for text in model.stream(QUESTION)]


def long(message, code=None, status=400):
    return Refusal(status, message, code)


ANSWERS = [
    (Refusal(401, f"Incorrect API key provided: {KEY}"), errors.ModelNotAllowed),
    (Refusal(403), errors.ModelNotAllowed),
    (Refusal(402, "Insufficient Balance"), errors.ModelNotAllowed),
    (Refusal(429, "You exceeded your current quota.", "insufficient_quota"), errors.ModelNotAllowed),
    (Refusal(404, "model 'x' not found"), errors.ModelMissing),
    (Refusal(404, body="<html>Not found"), errors.ModelMissing),
    (Refusal(429), errors.ModelBusy),
    (Refusal(429, headers={"Retry-After": "3600"}), errors.ModelBusy),
    (Refusal(503, "Loading model"), errors.ModelBusy),
    (Refusal(500, body="Internal Server Error"), errors.ModelError),
    (Refusal(502, body="<html>Bad gateway"), errors.ModelError),
    (Refusal(400, f"Invalid message: {SAID}"), errors.ModelRejected),
    (Refusal(413), errors.ContextExceeded),
    (long("This model's maximum context length is 4096 tokens.", "context_length_exceeded"), errors.ContextExceeded),
    (long("max_tokens is too large for the context length"), errors.ContextExceeded),
    (long("the request exceeds the available context size, try increasing it"), errors.ContextExceeded),
    (Refusal(200, body="<html>Welcome"), errors.ModelInvalid),
    (Refusal(200, body='{"choices": [{"message": {"content": "Not a stream."}}]}'), errors.ModelInvalid),
    (Reply(Raw("not JSON")), errors.ModelInvalid),
    (Reply(Raw('{"choices": [{"delta": "Hello"}]}')), errors.ModelInvalid),
    (Reply(Raw('{"choices": 7}')), errors.ModelInvalid),
    (Reply(Raw('"Hello"')), errors.ModelInvalid),
    (Reply(Raw('{"error": {"message": "out of memory", "code": 500}}')), errors.ModelError),
    (Reply(Raw('{"error": {"message": "slow down", "code": 429}}')), errors.ModelBusy),
    (Ending.DISCONNECT, errors.ModelUnreachable),
    (Reply("Well", Ending.DISCONNECT), errors.ModelDisconnected),
    (Reply(Ending.DISCONNECT), errors.ModelDisconnected),
    (Reply(), errors.ModelEmpty),
    (Reply(Reasoning("Hmm."), finish_reason="length"), errors.ModelEmpty),
    (Reply(finish_reason="content_filter"), errors.ModelEmpty),
]


@pytest.mark.parametrize(("answer", "expected"), ANSWERS, ids=[expected.__name__ for _, expected in ANSWERS])
async def test_every_failure_is_an_error_with_a_cause(answer, expected, caplog):
    caplog.set_level(logging.DEBUG, "speech")
    with running_language_model(script=lambda request: answer) as server, pytest.raises(errors.ModelError) as raised:
        await reply_of(LanguageModel(info_of(server, api_key=KEY)))
    error = raised.value
    assert type(error) is expected
    assert all([error.what, error.why, error.action, error.spoken])
    for secret in (KEY, SAID):
        assert secret not in f"{error} {error.action} {error.spoken}"
        assert not [line for line in caplog.messages if secret in line]


async def test_a_reply_that_breaks_off_was_emitted_as_far_as_it_came():
    with running_language_model(Reply("Well,", " I", Ending.DISCONNECT)) as server:
        texts = LanguageModel(info_of(server)).stream(QUESTION)
        assert [await anext(texts), await anext(texts)] == ["Well,", " I"]
        with pytest.raises(errors.ModelDisconnected):
            await anext(texts)


async def test_a_server_that_is_not_running():
    with pytest.raises(errors.ModelUnreachable):
        await reply_of(LanguageModel(info_of(f"http://127.0.0.1:{free_port()}/v1")))


async def test_one_failed_request_is_repeated_and_a_second_one_is_not():
    with running_language_model(Refusal(503), Refusal(503), Reply("Too late.")) as server:
        with pytest.raises(errors.ModelBusy):
            await reply_of(LanguageModel(info_of(server)))
        assert len(server.requests) == 2


@pytest.mark.parametrize("status", [400, 401, 404, 500])
async def test_a_request_that_fails_again_anyway_is_not_repeated(status):
    with running_language_model(Refusal(status), Reply("Fine.")) as server:
        with pytest.raises(errors.ModelError):
            await reply_of(LanguageModel(info_of(server)))
        assert len(server.requests) == 1


async def test_no_first_token(monkeypatch):
    def script(request):
        monkeypatch.setattr(client, "FIRST_TOKEN_TIMEOUT", 0)
        return Reply(Ending.STALL)

    with running_language_model(script=script) as server:
        with pytest.raises(errors.ModelTimeout):
            await reply_of(LanguageModel(info_of(server)))
        server.wait(lambda: server.requests[0].has_disconnected)


async def test_no_answer_at_all(monkeypatch):
    monkeypatch.setattr(client, "FIRST_TOKEN_TIMEOUT", 4 * SHORT)
    with running_language_model(Ending.STALL) as server:
        with pytest.raises(errors.ModelTimeout):
            await reply_of(LanguageModel(info_of(server)))
        # On a busy machine the time may be over before there is a request.
        server.wait(lambda: all(request.has_disconnected for request in server.requests))


async def test_a_stalled_reply(monkeypatch):
    monkeypatch.setattr(client, "TOKEN_TIMEOUT", SHORT)
    with running_language_model(Reply("Well,", Ending.STALL)) as server:
        with pytest.raises(errors.ModelStalled):
            await reply_of(LanguageModel(info_of(server)))
        server.wait(lambda: server.requests[0].has_disconnected)


async def test_a_reply_that_dribbles_too_long(monkeypatch):
    monkeypatch.setattr(client, "TOTAL_TIMEOUT", SHORT)
    with running_language_model(Reply(*["la ", 0.01] * 1000)) as server, pytest.raises(errors.ModelStalled):
        await reply_of(LanguageModel(info_of(server)))


async def test_reasoning_may_take_longer_than_the_first_token(monkeypatch):
    read = client._Call._read

    def expire(call, chunk):
        monkeypatch.setattr(client, "FIRST_TOKEN_TIMEOUT", 0)
        return read(call, chunk)

    monkeypatch.setattr(client._Call, "_read", expire)
    with running_language_model(Reply(Reasoning("Hmm."), SHORT, "Four.")) as server:
        assert await reply_of(LanguageModel(info_of(server))) == ["Four."]


async def test_reasoning_has_a_deadline_of_its_own(monkeypatch):
    monkeypatch.setattr(client, "REASONING_TIMEOUT", SHORT)
    thoughts = [Reasoning("Hmm."), 0.01] * 1000
    with running_language_model(Reply(*thoughts)) as server, pytest.raises(errors.ModelTimeout, match="reasoning"):
        await reply_of(LanguageModel(info_of(server)))
