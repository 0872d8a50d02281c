"""What takes its time, or real processes that die, of tests/speech/kyutai/test_speaking.py."""

import asyncio

import numpy as np

from tests.speech.kyutai.test_speaking import expected, heard, say, site, tts_streaming
from tests.support.tokens import issue_token


async def test_a_client_that_reads_slowly_misses_nothing(site):
    words = [f"word{number}" for number in range(60)]  # 24 s
    async with tts_streaming(site, issue_token(site), "?format=Pcm") as socket:
        await say(socket, *words)
        await asyncio.sleep(2)
        frames = await heard(socket, within=60, pace=0.015)  # the last are read seconds after they were sent
    assert np.allclose(np.frombuffer(b"".join(frames), "<f4"), expected(words=words), atol=1e-4)
