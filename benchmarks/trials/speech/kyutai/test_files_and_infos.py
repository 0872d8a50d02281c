"""What takes its time, or real processes that die, of tests/speech/kyutai/test_files_and_infos.py."""

import asyncio
import re

from tests.inference.speech_like import noise, words_of
from tests.speech.kyutai.test_files_and_infos import site
from tests.support.api import wav_of
from tests.support.http import ask
from tests.support.kyutai import asr_streaming
from tests.support.tokens import issue_token


async def test_a_file_is_transcribed_and_what_the_server_does_is_told(site):
    token, pcm = issue_token(site), noise(1_000)
    answer = await asyncio.to_thread(ask, site, "/api/asr-streaming", wav_of(pcm), kyutai_api_key=token)
    assert answer.status == 200
    assert [item["text"] for item in answer.json if item["type"] == "Word"] == words_of(pcm)
    assert answer.json[:2] == [
        {"type": "Word", "text": words_of(pcm)[0], "start_time": 0.0},
        {"type": "EndWord", "stop_time": 0.4},
    ]
    async with asr_streaming(site, token) as socket:
        await socket.say(noise(30))
        await socket.until("Word")
        modules = (await asyncio.to_thread(ask, site, "/api/modules_info")).json
        assert {**modules[0], "used_slots": "?"} == {
            "type": "batched_asr",
            "path": "/api/asr-streaming",
            "lm": "checksum",
            "audio_tokenizer": "",
            "used_slots": "?",
            "total_slots": "2",
        }
    while "asr_connection_num_steps" not in (told := ask(site, "/metrics")).body.decode():
        await asyncio.sleep(0.1)
    assert told.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert '\nasr_connect{handler="all"} 1\n' in told.body.decode()
    assert 'asr_connection_num_steps_bucket{le="125"} 1' in told.body.decode()
    assert '\nasr_open_channels{handler="all"} ' in told.body.decode()
    steps = re.findall(r'asr_model_step_duration_bucket\{le="(.+)"\} (\d+)', told.body.decode())
    assert [bound for bound, _ in steps] == ["0.02", "0.03", "0.04", "0.05", "0.06", "0.07", "0.08", "+Inf"]
    assert int(steps[-1][1]) >= 30  # of frames, each a step of its own
