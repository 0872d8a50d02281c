"""The protocol of vosk-server, with a client that waits for each answer, as most do."""

import pytest

from tests.support.speech.checksum_audio import noise, words_of

PCM = noise(31)
WORDS = words_of(PCM)
CHUNK = 4_800  # bytes: a frame and a quarter
CONFIG = {"config": {"sample_rate": 24_000}}
EOF = {"eof": 1}


def chunks(pcm=PCM):
    return [pcm[start : start + CHUNK] for start in range(0, len(pcm), CHUNK)]


async def answers_to(client, pcm=PCM):
    return [await client.ask(chunk) for chunk in chunks(pcm)]


def texts(answers):
    return [answer["text"] for answer in answers if "text" in answer]


async def test_every_message_of_audio_has_one_answer_and_results_have_every_word_once(connect):
    async with connect("vosk") as client:
        await client.send(CONFIG)
        answers = await answers_to(client)
        last = await client.ask(EOF)
        assert await client.until_closed() == []
        assert client.socket.close_code == 1000
    assert {tuple(answer) for answer in answers} == {("partial",), ("result", "text")}
    assert texts([*answers, last]) == [" ".join(WORDS[:5]), " ".join(WORDS[5:])]
    partials = [answer["partial"] for answer in answers if "partial" in answer]
    assert WORDS[0] in partials
    assert f"{WORDS[0]} …" in partials
    assert last["result"][0] == {"conf": 1.0, "end": 2.4, "start": 2.0, "word": WORDS[5]}


async def test_words_and_alternatives_are_as_configured(connect):
    pcm = noise(10)
    words = words_of(pcm)
    async with connect("vosk") as client:
        await client.send({"config": {"sample_rate": "24000.0", "words": 0, "phrase_list": ["a", "b"]}})
        await client.ask(pcm)
        assert await client.ask(EOF) == {"text": " ".join(words)}
    async with connect("vosk", sample_rate=24_000) as client:
        await client.send({"config": {"max_alternatives": 3}})
        await client.ask(pcm)
        (alternative,) = (await client.ask(EOF))["alternatives"]
    assert (alternative["confidence"], alternative["text"]) == (1.0, " ".join(words))
    assert alternative["result"][0] == {"end": 0.4, "start": 0.0, "word": words[0]}


async def test_a_reset_ends_the_result_and_the_stream_continues(connect):
    first, second = noise(7, seed=1), noise(6, seed=2)
    async with connect("vosk") as client:
        await client.send(CONFIG)
        await answers_to(client, first)
        assert (await client.ask({"reset": 1}))["text"] == " ".join(words_of(first))
        await answers_to(client, second)
        assert (await client.ask(EOF))["text"] == " ".join(words_of(second))


async def test_audio_that_ends_within_a_frame_is_answered(connect):
    async with connect("vosk") as client:
        await client.send(CONFIG)
        for _ in range(3):
            await answers_to(client, noise(7)[:-1_000])
            assert len((await client.ask({"reset": 1}))["text"].split()) == 2


async def test_a_client_that_does_not_wait_gets_as_many_answers(connect):
    async with connect("vosk") as client:
        await client.send(CONFIG)
        for chunk in chunks():
            await client.send(chunk)
        await client.send(EOF)
        answers = await client.until_closed()
    assert len(answers) == len(chunks()) + 1
    assert " ".join(texts(answers)).split() == WORDS


async def test_no_audio_is_an_empty_result(connect):
    async with connect("vosk") as client:
        assert await client.ask(EOF) == {"text": ""}


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({"config": {"sample_rate": 1}}, "Invalid message."),
        ({"config": {"sample_rate": "inf"}}, "Invalid message."),
        ({"dance": 1}, "Supported: config, eof, reset."),
        ({"config": 3}, "Invalid message."),
    ],
)
async def test_an_invalid_message_is_an_error_that_looks_like_an_empty_result(connect, message, error):
    async with connect("vosk") as client:
        answer = await client.ask(message)
        assert await client.until_closed() == []
        assert client.socket.close_code == 4008
    assert error in answer["error"]
    assert answer["text"] == ""


@pytest.mark.parametrize("query", [{"sample_rate": "fast"}, {"sample_rate": 1}, {"engine": "none"}, {"language": "xx"}])
async def test_an_invalid_query_is_an_error(connect, query):
    async with connect("vosk", **query) as client:
        assert (await client.receive())["error"]
        await client.until_closed()
        assert client.socket.close_code == 4008
