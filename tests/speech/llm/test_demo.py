"""The demo model's prompt, and its process: with the real weights, or with a server that needs none."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest
from openai import AsyncOpenAI

from speech.llm import demo, demo_process
from speech.llm.config import Message
from speech.llm.demo_process import DemoFailed, DemoServer
from tests.support.environment import ROOT

needs_demo = pytest.mark.skipif(demo.info() is None, reason="requires the demo model: scripts/setup.sh test")

PROGRAM_THAT_USES_IT = """
import asyncio, sys
from speech.llm import demo_process
demo_process.SLOTS = 1
async def main():
    await demo_process.openai_client()
    server = demo_process.DemoServer.current()
    print(server.process.pid, server.folder, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""
PROGRAM_WITHOUT_WEIGHTS = """
import os, socketserver, sys, threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b'{"choices": [{"message": {"role": "assistant", "content": "%d"}}]}' % os.getpid()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass

sys.stdin.readline()
socket = Path(sys.argv[1], "llm.sock")
socket.unlink(missing_ok=True)
server = socketserver.ThreadingUnixStreamServer(str(socket), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print("ready", flush=True)
sys.stdin.read()
"""
"""It answers with its process id."""
HANG_TIMEOUT = 60.0
"""Seconds; only ends a test that hangs."""


@pytest.fixture
async def stopped_afterwards() -> AsyncIterator[None]:
    yield
    await demo_process.stop()


@pytest.fixture
async def starts_fast(stopped_afterwards: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one slot, because a start evaluates the prompt in each."""
    monkeypatch.setattr(demo_process, "SLOTS", 1)


@pytest.fixture
def use_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, starts_fast: None) -> Callable[[str], None]:
    """Run this code as the process, instead of the server with the weights."""

    def use(code: str) -> None:
        program = tmp_path / "program.py"
        program.write_text(code)
        monkeypatch.setattr(demo_process, "PROGRAM", program)

    return use


async def answer(client: AsyncOpenAI, *conversation: Message) -> str:
    info = demo.info()
    assert info is not None
    completion = await client.chat.completions.create(
        model=info.model,
        messages=[message._asdict() for message in demo.messages(conversation)],  # type: ignore[misc]
        max_tokens=info.max_tokens,
        temperature=info.temperature,
        seed=1,
    )
    return completion.choices[0].message.content or ""


def alternating(number: int) -> list[Message]:
    return [Message("assistant" if n % 2 else "user", f"Message {n}.") for n in range(number)]


def conversation_in(prompt: list[Message]) -> list[Message]:
    return prompt[1 + len(demo.EXAMPLES) :]


# The prompt.


def test_the_prompt_has_its_own_instructions_and_examples() -> None:
    prompt = demo.messages([Message("system", "You are a pirate."), Message("user", "Good morning.")])
    assert prompt == [Message("system", demo.INSTRUCTIONS), *demo.EXAMPLES, Message("user", "Good morning.")]


@pytest.mark.parametrize(("number", "first"), [(1, 0), (5, 0), (7, 4), (9, 4), (11, 8), (13, 8)])
def test_old_messages_are_left_out_several_at_once(number: int, first: int) -> None:
    everything = alternating(number)
    assert conversation_in(demo.messages(everything)) == everything[first:]


def test_of_a_long_message_the_last_words_remain() -> None:
    (message,) = conversation_in(demo.messages([Message("user", "word " * 100 + "Is that all?")]))
    assert message.content.startswith("word word")
    assert message.content.endswith("Is that all?")
    assert len(message.content) <= demo.MAX_MESSAGE


def test_a_shortened_message_ends_no_character_in_its_middle() -> None:
    (message,) = conversation_in(demo.messages([Message("user", "x" + "é" * 200)]))
    assert message.content == "é" * 140


def test_it_is_not_offered_without_its_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "weights", lambda: None)
    assert demo.info() is None


# The process.


async def test_it_is_restarted_when_it_was_killed(use_program: Callable[[str], None]) -> None:
    use_program(PROGRAM_WITHOUT_WEIGHTS)
    client, same = await asyncio.gather(demo_process.openai_client(), demo_process.openai_client())
    assert client is same
    process = DemoServer.current().process
    assert process is not None
    assert await process_that_answers(client) == process.pid

    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    assert await demo_process.openai_client() is client
    restarted = DemoServer.current().process
    assert restarted is not None
    assert restarted.pid != process.pid
    assert await process_that_answers(client) == restarted.pid


async def process_that_answers(client: AsyncOpenAI) -> int:
    completion = await client.chat.completions.create(model="", messages=[{"role": "user", "content": "Hello."}])
    return int(completion.choices[0].message.content or 0)


async def test_a_request_that_is_cancelled_during_the_start_does_not_end_it(use_program: Callable[[str], None]) -> None:
    use_program(PROGRAM_WITHOUT_WEIGHTS)
    cancelled = asyncio.create_task(demo_process.openai_client())
    while (process := DemoServer.current().process) is None:
        await asyncio.sleep(0.01)
    cancelled.cancel()
    await demo_process.openai_client()
    assert DemoServer.current().process is process


async def test_nothing_remains_of_it_once_it_is_stopped(use_program: Callable[[str], None]) -> None:
    use_program(PROGRAM_WITHOUT_WEIGHTS)
    await demo_process.openai_client()
    server = DemoServer.current()
    await demo_process.stop()
    assert not server.folder.exists()
    assert server.process is not None
    assert server.process.returncode == -signal.SIGKILL


@needs_demo
def test_only_its_own_user_can_reach_it_and_it_ends_with_the_site_even_if_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM_THAT_USES_IT], cwd=ROOT, stdout=subprocess.PIPE) as site:
        assert site.stdout is not None
        pid, _, path = site.stdout.readline().decode().strip().partition(" ")
        folder = Path(path)
        modes = [file.stat().st_mode & 0o777 for file in (folder, folder / "llm.sock")]
        site.kill()
    assert modes[0] == 0o700
    assert modes[1] & 0o077 == 0
    deadline = time.monotonic() + HANG_TIMEOUT
    while is_running(int(pid)) or folder.exists():
        if time.monotonic() > deadline:
            raise TimeoutError("the demo model's process outlives the site")
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE  # in a container, none may collect its status
    except psutil.NoSuchProcess:
        return False


async def test_a_process_that_fails_to_start_is_reported(use_program: Callable[[str], None]) -> None:
    use_program("raise SystemExit(3)")
    with pytest.raises(DemoFailed, match="couldn't be started"):
        await demo_process.openai_client()


async def test_a_process_that_hangs_while_it_starts_is_ended(
    monkeypatch: pytest.MonkeyPatch, use_program: Callable[[str], None]
) -> None:
    use_program("import sys; sys.stdin.read()")
    monkeypatch.setattr(demo_process, "START_TIMEOUT", 0.2)
    with pytest.raises(DemoFailed):
        await demo_process.openai_client()
    process = DemoServer.current().process
    assert process is not None
    assert process.returncode == -signal.SIGKILL


@needs_demo
@pytest.mark.slow
async def test_it_answers_also_after_it_was_killed(starts_fast: None) -> None:
    assert await answer(await demo_process.openai_client(), Message("user", "Hello."))
    process = DemoServer.current().process
    assert process is not None
    process.kill()
    await process.wait()
    assert await answer(await demo_process.openai_client(), Message("user", "Hello."))


@needs_demo
@pytest.mark.slow
async def test_four_questions_at_once_are_answered(stopped_afterwards: None) -> None:
    client = await demo_process.openai_client()
    questions = {"France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Japan": "Tokyo"}
    answers = await asyncio.gather(
        *(answer(client, Message("user", f"What is the capital of {country}?")) for country in questions)
    )
    assert [city for city, text in zip(questions.values(), answers, strict=True) if city not in text] == []


@needs_demo
@pytest.mark.slow
async def test_a_conversation_of_long_messages_fits_into_the_context(stopped_afterwards: None) -> None:
    client = await demo_process.openai_client()
    assert await answer(client, *(Message(role, "\x01~" * 500) for role, _ in alternating(9)))
