"""Live transcription with OpenAI's official realtime client."""

import asyncio
import base64
import json

import numpy as np
import openai
import pytest
import websockets

from inference.messages import FRAME_BYTES
from tests.support.clients.api import access_to
from tests.support.speech.checksum_audio import noise, words_of

PCM = noise(62)
WORDS = words_of(PCM)
CHUNK = 4_801  # bytes: splits samples
COMPLETED = "conversation.item.input_audio_transcription.completed"
DELTA = "conversation.item.input_audio_transcription.delta"


def config(format="audio/pcm", language="en", **input):
    audio_format = {"type": format, **({"rate": 24000} if format == "audio/pcm" else {})}
    transcription = {"model": "gpt-4o-transcribe", "language": language}
    return {
        "type": "transcription",
        "audio": {"input": {"format": audio_format, "transcription": transcription, **input}},
    }


@pytest.fixture
def realtime(access):
    client = openai.AsyncOpenAI(base_url=f"{access.url}/v1", api_key=access.token)
    return client.realtime


def update(input):
    return {"type": "session.update", "session": {"audio": {"input": input}}}


def connect(realtime):
    return realtime.connect(extra_query={"intent": "transcription"})


async def send_audio(connection, pcm):
    for i in range(0, len(pcm), CHUNK):
        await connection.input_audio_buffer.append(audio=base64.b64encode(pcm[i : i + CHUNK]).decode())


async def until(connection, *kinds, within=60):
    """All events up to the first of the kinds."""
    received = []
    async with asyncio.timeout(within):
        async for event in connection:
            received.append(event)
            if event.type in kinds:
                return received
    raise AssertionError(received)


async def test_a_delta_for_each_word_and_a_transcript_for_each_turn(realtime):
    turns = [noise(25, seed) + bytes(FRAME_BYTES * 5) for seed in range(3)]  # the silence is a word, too
    async with connect(realtime) as connection:
        detection = {"type": "server_vad", "silence_duration_ms": 400}
        await connection.session.update(session=config(turn_detection=detection))
        opening = await until(connection, "session.updated")
        assert [event.type for event in opening] == ["session.created", "session.updated"]
        assert opening[1].session.audio.input.transcription.language == "en"
        audio = base64.b64encode(b"".join(turns)).decode()  # at once: a turn would end in the middle of a word
        await connection.input_audio_buffer.append(audio=audio)
        await connection.input_audio_buffer.commit()
        received = [event for _ in turns for event in await until(connection, COMPLETED)]
    completed = [event for event in received if event.type == COMPLETED]
    assert [event.transcript.split() for event in completed] == [words_of(turn) for turn in turns]
    deltas = [event for event in received if event.type == DELTA]
    assert "".join(event.delta for event in deltas if event.item_id == completed[1].item_id) == completed[1].transcript
    assert {event.item_id for event in deltas} == {event.item_id for event in completed}
    first = [event.type for event in received if getattr(event, "item_id", "") == completed[0].item_id]
    assert first == [f"input_audio_buffer.{name}" for name in ("speech_started", "speech_stopped", "committed")] + [
        *[DELTA] * 6,
        COMPLETED,
    ]


async def test_a_clear_before_the_first_update_leaves_the_first_turn(realtime):
    """Another language needs another stream, of which the clear must not be."""
    async with connect(realtime) as connection:
        await connection.input_audio_buffer.clear()
        await connection.session.update(session=config(turn_detection=None))
        for pcm in (PCM, PCM[: FRAME_BYTES * 10]):
            await send_audio(connection, pcm)
            await connection.input_audio_buffer.commit()
            completed = (await until(connection, COMPLETED))[-1]
            assert completed.transcript.split() == words_of(pcm)


async def test_the_session_reports_what_is_in_force(realtime):
    """Noise reduction isn't supported; the rest is as requested."""
    async with connect(realtime) as connection:
        (created,) = await until(connection, "session.created")
        detection = created.session.audio.input.turn_detection
        assert (detection.type, detection.threshold, detection.silence_duration_ms) == ("server_vad", 0.5, 500)
        vad = {"type": "server_vad", "threshold": 0.7, "prefix_padding_ms": 100, "silence_duration_ms": 900}
        semantic = {"type": "semantic_vad", "eagerness": "low"}
        for requested in (vad, semantic, None):
            session = config(turn_detection=requested, noise_reduction={"type": "near_field"})
            await connection.session.update(session=session)
            input = (await until(connection, "session.updated"))[-1].session.audio.input
            assert input.noise_reduction is None
            reported = input.turn_detection and input.turn_detection.to_dict()
            assert reported == requested


async def test_the_beta_has_a_session_of_its_own_form(access):
    headers = {"Authorization": f"Bearer {access.token}", "OpenAI-Beta": "realtime=v1"}
    uri = f"{access.url.replace('http', 'ws')}/v1/realtime?intent=transcription"
    async with websockets.connect(uri, additional_headers=headers) as socket:
        session = {"input_audio_format": "g711_ulaw", "turn_detection": {"type": "semantic_vad"}}
        await socket.send(json.dumps({"type": "transcription_session.update", "session": session}))
        assert json.loads(await socket.recv())["type"] == "transcription_session.created"
        updated = json.loads(await socket.recv())
    assert updated["type"] == "transcription_session.updated"
    assert updated["session"]["input_audio_format"] == "g711_ulaw"
    assert updated["session"]["turn_detection"] == {"type": "semantic_vad", "eagerness": "auto"}


async def test_the_model_may_have_any_name_that_whisper_has_elsewhere(realtime):
    async with connect(realtime) as connection:
        for model, error in (("Systran/faster-whisper-small", None), ("nova-3", "Model “nova-3” not found.")):
            session = config()
            session["audio"]["input"]["transcription"]["model"] = model
            await connection.session.update(session=session)
            answer = (await until(connection, "session.updated", "error"))[-1]
            assert (error or "") in (answer.error.message if answer.type == "error" else "")
            assert (answer.type == "error") is bool(error)


async def test_a_client_secret_can_only_transcribe(access, realtime):
    expires_after = {"anchor": "created_at", "seconds": 60}
    secret = await realtime.client_secrets.create(session=config(), expires_after=expires_after)
    assert secret.session.type == "transcription"
    uri = f"{access.url.replace('http', 'ws')}/v1/realtime?intent=transcription"
    subprotocols = ["realtime", f"openai-insecure-api-key.{secret.value}"]
    async with websockets.connect(uri, subprotocols=subprotocols) as socket:
        assert socket.subprotocol == "realtime"
        assert json.loads(await socket.recv())["type"] == "session.created"
    browser = openai.AsyncOpenAI(base_url=f"{access.url}/v1", api_key=secret.value, max_retries=0)
    with pytest.raises(openai.PermissionDeniedError):
        await browser.audio.speech.create(input="Hello", model="tts-1", voice="alloy")


@pytest.mark.slow
async def test_a_client_secret_is_revoked_with_its_token(access):
    other = access_to(access.site, "other@example.org")
    client = openai.AsyncOpenAI(base_url=f"{other.url}/v1", api_key=other.token, max_retries=0)
    secret = await client.realtime.client_secrets.create(session=config())
    access.site.shell("from accounts.models import Token; Token.objects.get(user__email='other@example.org').revoke()")
    browser = openai.AsyncOpenAI(base_url=f"{other.url}/v1", api_key=secret.value, max_retries=0)
    await asyncio.sleep(6)  # the two processes of this test share no cache
    with pytest.raises(openai.AuthenticationError):
        await browser.models.list()


@pytest.mark.slow
async def test_without_turn_detection_each_commit_has_one_transcript(realtime):
    first, second = PCM[: 3840 * 30], PCM[3840 * 30 :]
    async with connect(realtime) as connection:
        await connection.session.update(session=config(turn_detection=None))
        for pcm in (first, second):
            await send_audio(connection, pcm)
            await connection.input_audio_buffer.commit()
            completed = (await until(connection, COMPLETED))[-1]
            assert completed.transcript.split() == words_of(pcm)
            assert (completed.usage.type, completed.usage.output_tokens) == ("tokens", len(words_of(pcm)))


@pytest.mark.slow
@pytest.mark.parametrize("format", ["audio/pcmu", "audio/pcma"])
async def test_telephone_audio(realtime, format):
    async with connect(realtime) as connection:
        await connection.session.update(session=config(format, turn_detection=None))
        await send_audio(connection, np.random.default_rng(0).integers(0, 256, 8_000 * 2, np.uint8).tobytes())
        await connection.input_audio_buffer.commit()
        assert len((await until(connection, COMPLETED))[-1].transcript.split()) == 2 / 0.4


@pytest.mark.slow
async def test_an_invalid_event_is_answered_with_an_error_and_ignored(realtime):
    async with connect(realtime) as connection:
        for mistake, words in [
            ({"type": "dance"}, "Unknown event “dance”."),
            ({"type": "input_audio_buffer.commit"}, "buffer only has 0.00ms of audio"),
            ({"type": "input_audio_buffer.append", "audio": "???"}, "Invalid base64"),
            ({"type": "session.update", "session": {"type": "realtime"}}, "Unsupported session type"),
            (update({"format": {"type": "audio/x"}}), "audio/pcm"),
            (update({"format": {"type": "audio/pcm", "rate": 16_000}}), "The rate of audio/pcm is 24000."),
            (update({"turn_detection": {"type": "telepathy"}}), "“server_vad” and “semantic_vad”"),
            (update({"turn_detection": {"type": "semantic_vad", "eagerness": "very"}}), "low, medium, high, auto"),
            (update({"turn_detection": {"type": "server_vad", "threshold": 2}}), "turn_detection.threshold"),
        ]:
            await connection.send({**mistake, "event_id": "mine"})
            error = (await until(connection, "error"))[-1].error
            assert words in error.message
            assert error.event_id == "mine"
        await send_audio(connection, PCM)
        await connection.input_audio_buffer.commit()
        assert (await until(connection, COMPLETED))[-1].transcript.split() == WORDS


@pytest.mark.slow
async def test_an_unsupported_language_is_reported_before_the_connection_is_closed(realtime):
    async with connect(realtime) as connection:
        await connection.session.update(session=config(language="tlh"))
        await send_audio(connection, PCM[:4800])
        assert "Supported languages: en." in (await until(connection, "error"))[-1].error.message
        with pytest.raises(websockets.ConnectionClosed):
            await connection.recv()


async def test_options_may_come_a_moment_after_the_first_audio(realtime):
    """Pipecat's client does so. Nothing of that audio is lost."""
    async with connect(realtime) as connection:
        await send_audio(connection, PCM[:4800])
        await connection.session.update(session=config(turn_detection=None))
        await send_audio(connection, PCM[4800:])
        await connection.input_audio_buffer.commit()
        assert (await until(connection, COMPLETED))[-1].transcript.split() == WORDS
        await connection.session.update(session=config(language="fr"))
        assert "can't be changed now" in (await until(connection, "error"))[-1].error.message
