"""The demo model's prompt, and its process with the real weights."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
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
END_TIMEOUT = 20.0


@pytest.fixture
async def stopped_afterwards() -> AsyncIterator[None]:
    yield
    await demo_process.stop()


@pytest.fixture
async def starts_fast(stopped_afterwards: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one slot, because a start evaluates the prompt in each."""
    monkeypatch.setattr(demo_process, "SLOTS", 1)


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


@needs_demo
async def test_it_answers_and_is_restarted_when_it_was_killed(starts_fast: None) -> None:
    client, same = await asyncio.gather(demo_process.openai_client(), demo_process.openai_client())
    assert client is same
    process = DemoServer.current().process
    assert process is not None
    assert await answer(client, Message("user", "Hello."))

    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    assert await answer(await demo_process.openai_client(), Message("user", "Hello."))
    restarted = DemoServer.current().process
    assert restarted is not None
    assert restarted.pid != process.pid


@needs_demo
async def test_a_request_that_is_cancelled_during_the_start_does_not_end_it(starts_fast: None) -> None:
    cancelled = asyncio.create_task(demo_process.openai_client())
    while (process := DemoServer.current().process) is None:
        await asyncio.sleep(0.01)
    cancelled.cancel()
    await demo_process.openai_client()
    assert DemoServer.current().process is process


@needs_demo
async def test_only_its_own_user_can_reach_it_and_nothing_remains(starts_fast: None) -> None:
    await demo_process.openai_client()
    folder = DemoServer.current().folder
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "llm.sock").stat().st_mode & 0o077 == 0
    await demo_process.stop()
    assert not folder.exists()


@needs_demo
def test_it_ends_with_the_site_even_if_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM_THAT_USES_IT], cwd=ROOT, stdout=subprocess.PIPE) as site:
        assert site.stdout is not None
        pid, _, folder = site.stdout.readline().decode().strip().partition(" ")
        site.kill()
    deadline = time.monotonic() + END_TIMEOUT
    while is_running(int(pid)) or Path(folder).exists():
        assert time.monotonic() < deadline, "the demo model's process outlives the site"
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE  # in a container, none may collect its status
    except psutil.NoSuchProcess:
        return False


async def test_a_process_that_fails_to_start_is_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, starts_fast: None
) -> None:
    program = tmp_path / "program.py"
    program.write_text("raise SystemExit(3)")
    monkeypatch.setattr(demo_process, "PROGRAM", program)
    with pytest.raises(DemoFailed, match="couldn't be started"):
        await demo_process.openai_client()


async def test_a_process_that_hangs_while_it_starts_is_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, starts_fast: None
) -> None:
    program = tmp_path / "program.py"
    program.write_text("import sys; sys.stdin.read()")
    monkeypatch.setattr(demo_process, "PROGRAM", program)
    monkeypatch.setattr(demo_process, "START_TIMEOUT", 0.2)
    with pytest.raises(DemoFailed):
        await demo_process.openai_client()
    process = DemoServer.current().process
    assert process is not None
    assert process.returncode == -signal.SIGKILL


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
