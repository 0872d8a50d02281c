"""A language model's replies, as text that comes in pieces while the model generates it."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any, cast

import openai
from openai.types.chat import ChatCompletionChunk

from speech.llm import demo, demo_process
from speech.llm.config import Message, ModelInfo
from speech.llm.connections import WITHOUT_DEADLINE, openai_client
from speech.llm.errors import ModelEmpty, ModelError, ModelInvalid, ModelStalled, ModelTimeout
from speech.llm.messages import prepared
from speech.llm.server_errors import log_text, model_error, rejected_parameter, retry_delay
from speech.metrics import LLM_FIRST_TOKEN, LLM_REQUESTS, LLM_TOKENS

logger = logging.getLogger(__name__)

FIRST_TOKEN_TIMEOUT = 30.0
"""Seconds from the request to the first token. A server that loads a model of 8 GB for its first request needs up to
20 of them; a user waits hardly longer."""
REASONING_TIMEOUT = 60.0
"""Seconds from the request to the first text of a model that has begun to reason."""
TOKEN_TIMEOUT = 10.0
"""Seconds between two tokens. The slowest model that can talk, 3 tokens/s, needs 0.3."""
TOTAL_TIMEOUT = 120.0
"""Seconds for the whole reply: the longest one, 400 tokens, at 3.3 tokens/s."""
END_TIMEOUT = 0.5
"""Seconds from the end of the text to the end of the stream, which brings only the usage."""
MAX_RETRIES = 1
"""A user who waits for the first word waits for one more attempt, not for two."""
CHARACTERS_PER_TOKEN = 4
"""For estimates; typical of English text."""
LENGTH_PARAMETERS = ("max_tokens", "max_completion_tokens")
"""OpenAI's newer models accept only the second one, other servers only the first."""

REJECTED_PARAMETERS: dict[tuple[str, str], set[str]] = {}
"""Parameters that a model (URL and name) has rejected."""


@dataclass(frozen=True)
class Usage:
    """Tokens of one call."""

    prompt_tokens: int
    completion_tokens: int
    is_estimated: bool = False


@dataclass
class LatestCall:
    """What the latest call of a model by this process was like."""

    first_token: float | None = None
    """Seconds."""
    error: str = ""


LATEST_CALLS: dict[str, LatestCall] = {}
"""By the model's name."""


class LanguageModel:
    def __init__(self, info: ModelInfo) -> None:
        self.info = info
        self.usage: Usage | None = None
        """Tokens of the latest call; set when it ends, however it ends."""
        self.tokens = (0, 0)
        """Tokens of all calls that have ended: of prompts and of completions."""

    async def prepare(self) -> None:
        """Start the demo model if it is this one, so that the first reply need not wait for it."""
        if self.info.is_demo:
            with suppress(ModelError):  # the first reply reports it
                await demo_process.openai_client()

    async def stream(self, messages: Sequence[Message]) -> AsyncGenerator[str]:
        """Yield text as the model emits it, without its reasoning. Closing the iterator closes the response at once.

        Raises `ModelError`.
        """
        call = _Call(self.info, demo.messages(messages) if self.info.is_demo else prepared(messages))
        outcome = "closed"
        latest = LATEST_CALLS[self.info.name] = LatestCall()
        try:
            async with aclosing(call.texts()) as texts:
                async for text in texts:
                    if latest.first_token is None:
                        latest.first_token = call.elapsed()
                        LLM_FIRST_TOKEN.labels(self.info.name).observe(latest.first_token)
                    yield text
            outcome = "done"
        except ModelError as error:
            outcome, latest.error = error.outcome, error.what
            logger.warning("the language model “%s” failed: %s %s", self.info.name, type(error).__name__, call.cause)
            raise
        finally:
            await call.close()
            if usage := call.usage():
                self.usage = usage
                prompt, completion = self.tokens
                self.tokens = prompt + usage.prompt_tokens, completion + usage.completion_tokens
                LLM_TOKENS.labels(self.info.name, "prompt").inc(usage.prompt_tokens)
                LLM_TOKENS.labels(self.info.name, "completion").inc(usage.completion_tokens)
            LLM_REQUESTS.labels(self.info.name, outcome).inc()


class _Call:
    """One request, with its deadlines."""

    def __init__(self, info: ModelInfo, messages: Sequence[Message]) -> None:
        self.cause = ""
        """What the server or the connection reported, if it failed."""
        self._info = info
        self._messages = messages
        self._started = asyncio.get_running_loop().time()
        self._response: openai.AsyncStream[ChatCompletionChunk] | None = None
        self._has_reasoning = False
        self._characters = 0
        self._finish_reason = ""
        self._reported: Usage | None = None

    def elapsed(self) -> float:
        """Seconds since the request."""
        return asyncio.get_running_loop().time() - self._started

    async def close(self) -> None:
        if self._response is not None:
            await self._response.close()

    def usage(self) -> Usage | None:
        if self._reported or not self._response:
            return self._reported
        prompt = sum(len(message.content) for message in self._messages)
        return Usage(prompt // CHARACTERS_PER_TOKEN, self._characters // CHARACTERS_PER_TOKEN, is_estimated=True)

    async def texts(self) -> AsyncGenerator[str]:
        self._response = await self._open()
        has_chunk = False
        while (chunk := await self._next_chunk(self._response)) is not None:
            has_chunk = True
            if text := self._read(chunk):
                self._characters += len(text)
                yield text
        if not has_chunk:
            raise ModelInvalid
        if not self._characters:
            raise self._no_text()

    async def _open(self) -> openai.AsyncStream[ChatCompletionChunk]:
        """Send the request: again without a parameter that the server doesn't support, and once more after a failure
        that may be over."""
        deadline = self._started + FIRST_TOKEN_TIMEOUT
        retries = MAX_RETRIES
        while True:
            parameters = self._parameters()
            try:
                async with asyncio.timeout_at(deadline):
                    return await self._send(parameters)
            except TimeoutError:
                raise ModelTimeout from None
            except (openai.OpenAIError, ValueError) as error:
                if name := rejected_parameter(error, list(parameters)):
                    self._rejected.add(name)
                    continue
                delay = retry_delay(error)
                if not retries or delay is None or self.elapsed() + delay >= FIRST_TOKEN_TIMEOUT:
                    raise self._failed(error) from None
            retries -= 1
            await asyncio.sleep(delay)

    async def _send(self, parameters: dict[str, Any]) -> openai.AsyncStream[ChatCompletionChunk]:
        info = self._info
        client = await demo_process.openai_client() if info.is_demo else openai_client(info.url, info.api_key)
        return await client.chat.completions.create(
            model=info.model,
            messages=cast(Any, [message._asdict() for message in self._messages]),
            stream=True,
            extra_body={**parameters, **info.extra_body},
            timeout=WITHOUT_DEADLINE,
        )

    def _parameters(self) -> dict[str, Any]:
        """Parameters that the request can do without, except those that the server has rejected."""
        length = next((name for name in LENGTH_PARAMETERS if name not in self._rejected), None)
        wanted = {
            "stream_options": {"include_usage": True},
            "temperature": self._info.temperature,
            **({length: self._info.max_tokens} if length else {}),
        }
        return {name: value for name, value in wanted.items() if name not in self._rejected}

    @property
    def _rejected(self) -> set[str]:
        return REJECTED_PARAMETERS.setdefault((self._info.url, self._info.model), set())

    async def _next_chunk(self, response: openai.AsyncStream[ChatCompletionChunk]) -> ChatCompletionChunk | None:
        try:
            async with asyncio.timeout_at(self._deadline()):
                return await anext(response, None)
        except TimeoutError:
            if self._finish_reason:
                return None  # all text is there
            raise self._late() from None
        except (openai.OpenAIError, ValueError) as error:
            raise self._failed(error) from None

    def _deadline(self) -> float:
        now = asyncio.get_running_loop().time()
        if self._finish_reason:
            return now + END_TIMEOUT
        if self._characters:
            return min(now + TOKEN_TIMEOUT, self._started + TOTAL_TIMEOUT)
        if self._has_reasoning:
            return min(now + TOKEN_TIMEOUT, self._started + REASONING_TIMEOUT)
        return self._started + FIRST_TOKEN_TIMEOUT

    def _late(self) -> ModelError:
        if self._characters:
            return ModelStalled()
        return ModelTimeout(why="It spent all its time reasoning.") if self._has_reasoning else ModelTimeout()

    def _read(self, chunk: ChatCompletionChunk) -> str:
        """Text of the chunk. The client library doesn't check what a server sends."""
        try:
            if chunk.usage:
                prompt, completion = int(chunk.usage.prompt_tokens), int(chunk.usage.completion_tokens)
                self._reported = Usage(max(0, prompt), max(0, completion))
            if not chunk.choices:
                return ""
            choice = chunk.choices[0]
            self._finish_reason = choice.finish_reason or self._finish_reason
            if not choice.delta:
                return ""
            delta = choice.delta.model_dump()
            self._has_reasoning = bool(delta.get("reasoning_content") or delta.get("reasoning")) or self._has_reasoning
            return str(delta.get("content") or "")
        except (AttributeError, TypeError, ValueError, LookupError):
            raise ModelInvalid from None

    def _no_text(self) -> ModelError:
        if self._finish_reason == "content_filter":
            return ModelEmpty(why="Its provider's content filter stopped the reply.")
        if self._has_reasoning:
            return ModelEmpty(why="It used all its tokens for reasoning.")
        return ModelEmpty()

    def _failed(self, error: Exception) -> ModelError:
        self.cause = log_text(error)
        return model_error(error, has_begun=self._response is not None)
