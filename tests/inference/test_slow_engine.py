"""A slot whose web process sends nothing because it waits for the engine."""

from inference import scheduler
from inference.messages import Accept, Audio, Marker
from tests.inference.test_scheduler import Running, inline_executor
from tests.support.speech.checksum_audio import noise, words_of


async def test_a_stream_whose_audio_waits_for_a_slow_engine_keeps_its_slot(monkeypatch):
    monkeypatch.setattr(scheduler, "IDLE_TIMEOUT", 0.0)
    async with Running(inline_executor()) as running:
        running.open("s")
        running.send("s", Accept(), Audio(noise(20)))
        stream = running.scheduler._slots["s"].stream
        running.scheduler._reap_if_silent(running.scheduler._slots["s"], stream)
        assert stream.behind
        running.send("s", Marker(1))
        await running.listener.until("s", Marker)
        assert running.listener.words("s") == words_of(noise(20))
