"""Spoken conversations in real time: `python -m benchmarks.dialogue [--conversations 1 4] [--turns N] [--model URL]`.

The site as `make serve` starts it, with Moonshine and Piper, and a scripted language model that emits 50 tokens a
second at once. Each conversation has a user of its own, who speaks with Piper's voice, and a client that plays the
replies. Prints a table for each number of conversations:

- the time from the end of the user's speech to the first audio of the reply, with the parts that the site reports. A
  reply is generated before the turn is over, so the parts overlap. The rest is what the site doesn't know: it notices
  the end of speech late, and messages take time
- the time from the beginning of an interruption until the reply is held, and until it is cut
- sentences with pauses, and sounds during a reply that must not end it: back-channels, noises, the reply's own echo.
  Each conversation gets a quarter of these cases, so four conversations get them all
- words in the model's context against those that were played, and secrets of one conversation in another

Exits with 1 if a target is missed. `--model demo` and `--model URL` (with LLM_API_KEY) measure the first audio with
the demo model and with any other; without a script, nothing else can be checked. `--quick`: a minute, to see whether
it works. The clients share this machine.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import psutil

from benchmarks.support.dialogue.cases import (
    INTERRUPTIONS,
    SHORT,
    answer_to,
    cases_in_a_conversation,
    cases_with_an_echo,
    interruptions,
)
from benchmarks.support.dialogue.results import Results, Wait
from benchmarks.support.dialogue.scripted_model import (
    CITIES,
    CLAUSES,
    SENTENCES,
    Script,
    ScriptedModel,
    foreign_secrets,
)
from benchmarks.support.dialogue.sounds import speech
from benchmarks.support.dialogue.talker import Talker, talking
from tests.support.clients.sockets import tickets
from tests.support.servers.language_model import running_language_model
from tests.support.servers.site import Site, running_site

SHARES = 4
"""Conversations among which the cases are divided."""
QUICK_SHARES = 7
START_SPREAD = 1.3
"""Seconds between the starts of two conversations."""
INTERRUPTED_REPLIES = 8
STT_SLOTS = "16"
"""What a site measures on two free cores; on a busy machine it may find too few."""
MAX_LISTENING = 2.5
"""Seconds of a reply of an unknown length that are played."""
QUESTIONS = (
    "What is the capital of France?",
    "How many days does a week have?",
    "Please tell me how to boil an egg.",
    "Why is the sky blue in the morning?",
    "I would like to visit the old harbor tomorrow.",
    "Can you recommend a book about ships?",
    "My sister has two dogs and a cat.",
    "Where can I buy a good map?",
    "I am looking for a quiet place to read.",
    "Do you think it will rain this evening?",
)
ANSWER = "{city} is lovely in the spring."


class Plan:
    """What each conversation does."""

    def __init__(self, turns: int, is_quick: bool, is_scripted: bool) -> None:
        self.turns = 2 if is_quick else turns
        self.is_scripted = is_scripted
        self.interruptions = 2 if is_quick else INTERRUPTED_REPLIES
        self.shares = QUICK_SHARES if is_quick else SHARES
        self.cases = cases_in_a_conversation()
        self.echo_cases = cases_with_an_echo()

    @property
    def sockets(self) -> int:
        """Of each conversation, at most."""
        return 1 + len(self.echo_cases)


async def converse(site: Site, count: int, plan: Plan, model: ScriptedModel) -> Results:
    results = Results(plan.is_scripted)
    for script in model.scripts:
        script.requests.clear()
    model.strange_requests = 0

    async def run_one(number: int) -> None:
        script = model.scripts[number]
        own = await asyncio.to_thread(tickets, site, plan.sockets, f"user-{number}@example.org")
        await asyncio.sleep(START_SPREAD * number)
        await run_conversation(site, own, script, number, plan, results)

    site_before, before, began_at = cpu_seconds(site), sum(psutil.cpu_times()[:3]), time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        for number in range(count):
            tasks.create_task(run_one(number))
    seconds = time.monotonic() - began_at
    results.load = (cpu_seconds(site) - site_before) / seconds
    results.load_of_all = (sum(psutil.cpu_times()[:3]) - before) / seconds
    results.requests = sum(len(script.requests) for script in model.scripts)
    results.leaks += model.strange_requests
    return results


def cpu_seconds(site: Site) -> float:
    process = psutil.Process(site.web.process.pid)
    return sum(sum(each.cpu_times()[:2]) for each in (process, *process.children(recursive=True)))


async def run_conversation(
    site: Site, own: list[str], script: Script, number: int, plan: Plan, results: Results
) -> None:
    async with talking(site, own.pop(), script) as talker:
        await take_turns(talker, plan, results)
        if plan.is_scripted:
            await interruptions(plan.interruptions, talker, results)
            for case in plan.cases[number % plan.shares :: plan.shares]:
                await case(talker, results)
    observe(talker, results)
    for case in plan.echo_cases[number % plan.shares :: plan.shares] if plan.is_scripted else []:
        async with talking(site, own.pop(), script) as talker:
            await case(talker, results)
        observe(talker, results)


async def take_turns(talker: Talker, plan: Plan, results: Results) -> None:
    await greet(talker)
    for number in range(plan.turns):
        before = talker.last_number
        begins_with_clause = number % 3 != 1
        talker.script.answer = ANSWER
        talker.script.openings = CLAUSES if begins_with_clause else SENTENCES
        span = talker.say(speech(QUESTIONS[number % len(QUESTIONS)])[0])
        end = talker.time_of(span.end)
        reply = await answer_to(span, before, talker, results)
        if reply is None:
            await talker.interrupt()
        elif reply.first_audio_at >= end:
            parts = talker.latencies.get(reply.number, {})
            results.waits.append(Wait(talker.turns[-1][1], begins_with_clause, reply.first_audio_at - end, parts))
            if not plan.is_scripted:
                await talker.until_played(reply, MAX_LISTENING)
                await talker.interrupt()
        await talker.settle()
    talker.script.openings = CLAUSES


async def greet(talker: Talker) -> None:
    """A typed turn, before anything is measured: the first request to a model may be slow."""
    talker.script.answer = SHORT
    await talker.enter_text("Hello, how are you?")
    reply = await talker.next_reply(0, within=60)
    assert reply, f"No reply to the first turn: {talker.notices}"
    await talker.until_played(reply, MAX_LISTENING)
    await talker.interrupt()
    await talker.settle()


def observe(talker: Talker, results: Results) -> None:
    results.contexts += talker.contexts
    results.notices += talker.notices
    results.lateness += talker.lateness
    texts = [*(" ".join(reply.text) for reply in talker.replies), *(text for _, text in talker.turns)]
    results.leaks += sum(foreign_secrets(talker.script, text) for text in texts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--conversations", type=int, nargs="*", help="numbers of conversations (default: 1 4)")
    parser.add_argument("--turns", type=int, default=10, help="plain turns of each conversation (default: 10)")
    parser.add_argument("--model", default="scripted", help="“demo”, or the URL of a server with OpenAI's API")
    parser.add_argument("--quick", action="store_true", help="one short conversation")
    options = parser.parse_args()
    counts = options.conversations or ([1] if options.quick else [1, 4])
    if not all(1 <= count <= len(CITIES) for count in counts):
        parser.error(f"--conversations: 1 to {len(CITIES)}")
    plan = Plan(options.turns, options.quick, options.model == "scripted")
    for text in (*QUESTIONS, *INTERRUPTIONS):
        speech(text)  # keeps it; rendering must not delay the clients later
    print(f"{psutil.cpu_count()} cores, language model: {options.model}", flush=True)
    missed = run(counts, plan, options.model)
    for target in missed:
        print(f"MISSED  {target}")
    sys.exit(1 if missed else 0)


def run(counts: list[int], plan: Plan, model_name: str) -> list[str]:
    """The missed targets."""
    model, missed, alone = ScriptedModel(), [], None
    with ExitStack() as stack:
        server = stack.enter_context(running_language_model(script=model.answer))
        llm = {"scripted": {"LLM_URL": server.url}, "demo": {}}.get(
            model_name, {"LLM_URL": model_name, "LLM_API_KEY": os.environ.get("LLM_API_KEY", "")}
        )
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        engines = {"STT_ENGINE": "moonshine", "STT_SLOTS": STT_SLOTS, "TTS_ENGINE": "piper"}
        site = stack.enter_context(running_site(folder, STREAMS_PER_USER="100", LOG_LEVEL="ERROR", **engines, **llm))
        for count in counts:
            print(f"\n== {count} {'conversation' if count == 1 else 'conversations'}", flush=True)
            results = asyncio.run(converse(site, count, plan, model))
            results.print()
            missed += [f"{count}: {target}" for target in results.missed_targets(alone)]
            alone = results.first_audio if count == 1 else alone
    return missed


if __name__ == "__main__":
    main()
