"""Synthesis of a text that is known as a whole."""

from collections.abc import AsyncGenerator

from accounts.credentials.principal import Caller
from speech import events
from speech.gateway.revocation import revocation_guard
from speech.live.event_stream import Emit, stream_events
from speech.synthesis.job import SynthesisJob
from speech.synthesis.options import SynthesisOptions


def synthesis_events(caller: Caller, text: str, options: SynthesisOptions) -> AsyncGenerator[events.Event]:
    """Events of a job that synthesizes `text`. Raises `StreamError`."""

    async def run(emit: Emit) -> None:
        job = SynthesisJob(caller.user, emit, options)
        async with revocation_guard(caller, job.fail):
            job.add_text(text)
            job.finish()
            await job.run()

    return stream_events(run)
