"""The page, the exports and the share link of a conversation, whose speakers interrupt each other."""

import csv
import io
import json

import docx
import pytest
from django.test import Client

from inference.messages import SAMPLE_RATE
from speech.events import Word
from speech.models import Counts, Session, Share
from speech.models.conversation import ASSISTANT, USER
from tests.support.clients.downloads import body
from tests.support.speech.sessions import create_conversation

TURNS = [
    (ASSISTANT, 0.0, "Hello!"),
    (USER, 1.0, "tell me a story"),
    (ASSISTANT, 4.0, "Once upon a time there was a—"),
    (USER, 6.2, "a shorter one"),
]
IN_ORDER = [(speaker, text) for speaker, _, text in TURNS]


@pytest.fixture
def session(owner):
    return create_conversation(owner, *TURNS)


def export(pages, session, extension):
    return body(pages.get(f"/sessions/{session.pk}/transcript.{extension}"))


def test_the_page_shows_both_speakers_in_order_of_time(pages, session):
    segments = pages.get(f"/sessions/{session.pk}/").context["segments"]
    assert [(segment.speaker, segment.text) for segment in segments] == IN_ORDER


def test_the_page_continues_the_conversation_and_shows_what_it_used(pages, session):
    session.conversation.add_usage(prompt_tokens=1000, completion_tokens=34, played_samples=65 * SAMPLE_RATE, turns=2)
    html = pages.get(f"/sessions/{session.pk}/").content.decode()
    assert f'href="/talk/?session={session.pk}"' in html
    for shown in ("<dd>demo</dd>", "<dd>amy</dd>", "<dd>2, 1:05 played</dd>", "<dd>1034</dd>"):
        assert shown in html


def test_text_formats_name_the_speakers(pages, session):
    assert export(pages, session, "txt").decode().splitlines()[2:] == [
        "[0:00] Assistant: Hello!",
        "[0:01] User: tell me a story",
        "[0:04] Assistant: Once upon a time there was a—",
        "[0:06] User: a shorter one",
    ]
    markdown = export(pages, session, "md").decode()
    assert markdown.index("**0:01 User** tell me a story") < markdown.index("**0:04 Assistant** Once upon")
    paragraphs = [each.text for each in docx.Document(io.BytesIO(export(pages, session, "docx"))).paragraphs]
    assert paragraphs[-2:] == ["0:04  Assistant: Once upon a time there was a—", "0:06  User: a shorter one"]


def test_tables_and_data_name_the_speakers(pages, session):
    rows = csv.DictReader(io.StringIO(export(pages, session, "csv").decode("utf-8-sig")))
    assert [(row["speaker"], row["text"]) for row in rows] == IN_ORDER
    segments = json.loads(export(pages, session, "json"))["segments"]
    assert [(segment["speaker"], segment["text"]) for segment in segments] == IN_ORDER


def test_subtitles_show_the_interruption_where_it_was(pages, session):
    captions = export(pages, session, "srt").decode().strip().split("\n\n")
    assert [caption.split("\n", 2)[2].replace("\n", " ") for caption in captions] == [
        "Assistant: Hello!",
        "User: tell me a story",
        "Assistant: Once upon a time there",
        "User: a shorter one",
        "Assistant: was a—",
    ]
    assert "<v Assistant>Hello!" in export(pages, session, "vtt").decode()
    assert ",User,0,0,0,,User: a shorter one" in export(pages, session, "ass").decode()


def test_words_that_no_segment_has_are_the_users_and_in_order(pages, session):
    """The connection was lost while the user spoke; then the conversation was continued."""
    Session.objects.filter(pk=session.pk).update(samples=9 * SAMPLE_RATE)
    again = Session.acquire(session.owner, session.pk, names_speakers=True)
    first, segment, _ = again.start("checksum", "en")
    lost = Word(first, segment, "wait", 3.5, 3.8, 0.9)
    again.commit(10 * SAMPLE_RATE, [lost], [], Counts(10 * SAMPLE_RATE, 0, 0))
    expected = [*IN_ORDER[:2], (USER, "wait"), *IN_ORDER[2:]]
    segments = pages.get(f"/sessions/{session.pk}/").context["segments"]
    assert [(each.speaker, each.text) for each in segments] == expected
    exported = json.loads(export(pages, session, "json"))["segments"]
    assert [(each["speaker"], each["text"]) for each in exported] == expected


def test_a_share_link_shows_both_speakers_without_the_conversations_settings(session):
    page = Client().get(Share.create(session, 7, has_audio=False).get_absolute_url())
    assert [(segment.speaker, segment.text) for segment in page.context["segments"]] == IN_ORDER
    html = page.content.decode()
    assert "Be kind." not in html
    assert "Continue this conversation" not in html
