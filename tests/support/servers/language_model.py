"""A language model with OpenAI's API that answers with a script.

In a test: `with running_language_model(Reply("Hello", 0.2, " there.")) as server`. As a process:
`python -m tests.support.servers.language_model --port 9000`.
"""

import argparse
import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from tests.support.servers.language_model_script import (
    Answer,
    Ending,
    Raw,
    Reasoning,
    ReceivedRequest,
    Refusal,
    Reply,
    Script,
    echo,
    repeated,
    scripted,
)

POLL_INTERVAL = 0.005


class LanguageModelServer:
    def __init__(
        self, script: Script, models: Sequence[str] = ("scripted",), api_key: str = "", rejects: Sequence[str] = ()
    ) -> None:
        """`rejects`: parameters of a request that this server doesn't know."""
        self.script = script
        self.models = list(models)
        self.model_list: Answer | None = None
        """Answer to a request for the list of models, instead of the list."""
        self.api_key = api_key
        self.rejects = rejects
        self.requests: list[ReceivedRequest] = []
        """Requests for replies, in the order of their arrival."""
        self.list_requests: list[ReceivedRequest] = []
        self.address = ""

    @property
    def url(self) -> str:
        return f"{self.address}/v1"

    def wait(self, until: Callable[[], bool], timeout: float = 30) -> None:
        deadline = time.monotonic() + timeout
        while not until():
            if time.monotonic() > deadline:
                raise TimeoutError(self.requests)
            time.sleep(POLL_INTERVAL)

    async def listen(self, host: str, port: int) -> asyncio.Server:
        server = await asyncio.start_server(self._connected, host, port)
        self.address = f"http://{host}:{server.sockets[0].getsockname()[1]}"
        return server

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._answer(await _read_request(reader), reader, writer)
        writer.close()

    async def _answer(
        self, request: ReceivedRequest, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        answer = self._answer_to(request)
        if isinstance(answer, Refusal):
            writer.write(_whole(answer.status, answer.text(), answer.headers))
            await writer.drain()
            request.is_finished = True
            return
        closed = asyncio.create_task(reader.read(1))  # ends when the client disconnects
        try:
            if isinstance(answer, Reply):
                await self._stream(request, answer, writer, closed)
            elif answer is Ending.STALL:
                await closed
                request.has_disconnected = True
            else:
                writer.transport.abort()
        except ConnectionError:
            request.has_disconnected = True
        finally:
            closed.cancel()

    def _answer_to(self, request: ReceivedRequest) -> Answer:
        is_list = request.path == "/v1/models"
        (self.list_requests if is_list else self.requests).append(request)
        if self.api_key and request.headers.get("authorization") != f"Bearer {self.api_key}":
            return Refusal(401, f"Incorrect API key provided: {request.headers.get('authorization')}")
        if is_list:
            return self.model_list or _model_list(self.models)
        if request.path != "/v1/chat/completions":
            return Refusal(404, "Not found.")
        for name in self.rejects:
            if name in request.body:
                return Refusal(400, f"Unsupported parameter: '{name}'.", "unsupported_parameter")
        return self.script(request)

    async def _stream(
        self, request: ReceivedRequest, reply: Reply, writer: asyncio.StreamWriter, closed: asyncio.Task[bytes]
    ) -> None:
        writer.write(_head(200, {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"}))
        await writer.drain()
        async for data in self._events(request, reply, closed):
            if closed.done():
                request.has_disconnected = True
                return
            if data is Ending.DISCONNECT:
                writer.transport.abort()
                return
            writer.write(_chunk(f"data: {data}\n\n"))
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        request.is_finished = True

    async def _events(
        self, request: ReceivedRequest, reply: Reply, closed: asyncio.Task[bytes]
    ) -> AsyncIterator[str | Ending | None]:
        """Data of the stream's events; `None` if the client has disconnected during a pause."""
        sent = 0
        model = str(request.body.get("model"))
        for item in reply.script:
            if isinstance(item, str):
                sent += 1
                yield _completion(model, {"role": "assistant", "content": item})
            elif isinstance(item, Reasoning):
                yield _completion(model, {"role": "assistant", item.key: item.text})
            elif isinstance(item, Raw):
                yield item.data
            elif item is Ending.DISCONNECT:
                yield item
            elif item is Ending.NO_FINISH:
                return
            elif not await _pause(item, closed):
                yield None
        yield _completion(model, {}, reply.finish_reason)
        if (request.body.get("stream_options") or {}).get("include_usage"):
            prompt = sum(len(content.split()) for _, content in request.messages)
            usage = {"prompt_tokens": prompt, "completion_tokens": sent, "total_tokens": prompt + sent}
            yield json.dumps({"object": "chat.completion.chunk", "model": model, "choices": [], "usage": usage})
        yield "[DONE]"


async def _pause(item: object, closed: asyncio.Task[bytes]) -> bool:
    """Pause as the script says. False if the client disconnected meanwhile."""
    if isinstance(item, threading.Event):
        while not item.is_set() and not closed.done():
            await asyncio.sleep(POLL_INTERVAL)
    else:
        await asyncio.wait({closed}, timeout=item if isinstance(item, (int, float)) else None)
    return not closed.done()


async def _read_request(reader: asyncio.StreamReader) -> ReceivedRequest:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.rstrip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return ReceivedRequest(first.split()[1], headers, json.loads(body) if body else {})


def _completion(model: str, delta: Mapping[str, str], finish_reason: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return json.dumps(
        {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 0, "model": model, "choices": [choice]}
    )


def _model_list(models: Iterable[str]) -> Refusal:
    data = [{"id": name, "object": "model", "created": 0, "owned_by": "tests"} for name in models]
    return Refusal(200, body=json.dumps({"object": "list", "data": data}))


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Status", "Connection: close", *(f"{name}: {headers[name]}" for name in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _whole(status: int, body: str, headers: Mapping[str, str]) -> bytes:
    content = body.encode()
    kind = "application/json" if body.startswith(("{", "[")) else "text/html"
    return _head(status, {"Content-Type": kind, "Content-Length": str(len(content)), **headers}) + content


def _chunk(text: str) -> bytes:
    content = text.encode()
    return b"%x\r\n%s\r\n" % (len(content), content)


@contextmanager
def running_language_model(
    *answers: Answer, script: Script | None = None, **options: Any
) -> Iterator[LanguageModelServer]:
    """A server in a thread that gives these answers in turn, then echoes; or those of `script`.

    `options`: those of `LanguageModelServer`.
    """
    server = LanguageModelServer(script or scripted(*answers), **options)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    listening = asyncio.run_coroutine_threadsafe(server.listen("127.0.0.1", 0), loop).result(30)
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(_stop(listening), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _stop(listening: asyncio.Server) -> None:
    listening.close()
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True, help="0: any free port")
    parser.add_argument("--model", action="append", help="name of a model; may be repeated")
    parser.add_argument("--api-key", default="", help="key that clients must send")
    parser.add_argument("--reply", action="append", help="a reply, given in turn; may be repeated. Default: an echo")
    parser.add_argument("--after-ms", type=float, default=0, help="time until the first token")
    parser.add_argument("--tokens-per-second", type=float, default=0, help="0: all at once")
    options = parser.parse_args()
    timing = (options.after_ms / 1000, options.tokens_per_second)
    script = repeated(options.reply, *timing) if options.reply else echo(*timing)
    server = LanguageModelServer(script, options.model or ("scripted",), options.api_key)
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(server, options.host, options.port))


async def _serve(server: LanguageModelServer, host: str, port: int) -> None:
    listening = await server.listen(host, port)
    print(server.url, flush=True)
    await listening.serve_forever()


if __name__ == "__main__":
    main()
