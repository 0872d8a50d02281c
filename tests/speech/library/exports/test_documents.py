"""Text, Word, CSV and JSON exports, opened by the libraries for these formats."""

import csv
import io
import json
from pathlib import Path

import docx
import jsonschema
import pytest
from docx.oxml.ns import qn

from speech.library.exports import Document, Options
from speech.library.exports.formats import json_export
from speech.models import Session
from tests.speech.library.exports.transcripts import (
    EMOJI,
    MARKUP,
    RIGHT_TO_LEFT,
    conversation,
    hour,
    spoken,
    texts,
    write,
)
from tests.support.environment import ROOT

SCHEMA = json.loads(Path(ROOT, "docs/transcript.schema.json").read_text())


def paragraphs(file):
    return docx.Document(io.BytesIO(file)).paragraphs


def rows(file):
    return list(csv.DictReader(io.StringIO(file.decode("utf-8-sig"))))


# --- Plain text and Markdown ------------------------------------------------------------------------------------------


def test_plain_text_has_one_segment_per_line():
    text = write("txt", conversation()).decode()
    assert text.startswith("A talk\n\n[0:00] Ada: Good morning, did you sleep well?\n[0:03] Grace: Like a stone.\n")
    assert write("txt", conversation(), times=False, speakers=False).decode().splitlines()[2:] == texts(conversation())


def test_markdown_markup_is_escaped():
    written = write("md", [spoken("1. no list"), spoken("# no heading and *no* stars")], title="<Title>").decode()
    assert written == "# \\<Title\\>\n\n**0:00** 1\\. no list\n\n**0:00** \\# no heading and \\*no\\* stars\n\n"


# --- Word document ----------------------------------------------------------------------------------------------------


def test_the_word_document_has_a_paragraph_for_each_segment():
    heading, *body = paragraphs(write("docx", conversation(), title="A talk"))
    assert (heading.text, heading.style.name) == ("A talk", "Heading 1")
    assert body[0].text == "0:00  Ada: Good morning, did you sleep well?"
    plain = paragraphs(write("docx", conversation(), times=False, speakers=False))
    assert [paragraph.text for paragraph in plain[1:]] == texts(conversation())


def test_the_word_document_marks_right_to_left_paragraphs():
    _, latin, arabic = paragraphs(write("docx", [spoken(EMOJI), spoken(RIGHT_TO_LEFT)], times=False))
    assert latin._p.pPr is None or latin._p.pPr.find(qn("w:bidi")) is None
    assert arabic._p.pPr.find(qn("w:bidi")) is not None
    assert all(run.font.rtl for run in arabic.runs)


def test_the_word_document_drops_characters_that_xml_forbids():
    assert paragraphs(write("docx", [spoken("a\x00b\x08 c\ufffe")]))[1].text.endswith("ab c")


@pytest.mark.parametrize("extension", ["docx", "txt", "md", "csv"])
def test_a_long_and_an_empty_transcript_are_exported(extension):
    assert len(write(extension, hour())) > len(write(extension, [])) > 0


# --- CSV --------------------------------------------------------------------------------------------------------------


def test_csv_has_a_row_for_each_segment():
    first, *_, last = rows(write("csv", conversation()))
    assert first == {
        "segment": "1",
        "start": "0.123",
        "end": "2.423",
        "speaker": "Ada",
        "text": "Good morning, did you sleep well?",
    }
    assert last["text"] == MARKUP


def test_csv_can_have_a_row_for_each_word():
    table = rows(write("csv", conversation(), words=True))
    assert " ".join(row["text"] for row in table if row["segment"] == "1") == texts(conversation())[0]
    assert {row["confidence"] for row in table} == {"0.9"}


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "＝1+1"])
def test_csv_escapes_formulas(text):
    assert rows(write("csv", [spoken(text)]))[0]["text"] == f"'{text}"


@pytest.mark.parametrize("text", ["a;=1+1;b", "a; =1+1", 'a;"=1+1"', ";;-1", "a|@SUM(A1)", "a\t=1+1", "a؛=1+1"])
@pytest.mark.parametrize("separator", [",", ";", "|", "\t"])
def test_no_cell_is_a_formula_whatever_separates_cells(text, separator):
    file = write("csv", [spoken(text)]).decode("utf-8-sig")
    cells = [cell.strip(' "') for row in csv.reader(io.StringIO(file), delimiter=separator) for cell in row]
    assert cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


# --- JSON -------------------------------------------------------------------------------------------------------------


def validated(file):
    transcript = json.loads(file)
    jsonschema.validate(transcript, SCHEMA, cls=jsonschema.Draft202012Validator)
    return transcript


@pytest.mark.django_db
@pytest.mark.parametrize("talk", [conversation(), hour(), []], ids=["conversation", "hour", "empty"])
def test_json_matches_its_schema(talk):
    session = Document.of(Session(samples=24_000))
    document = Document(**{**vars(session), "segments": talk})
    transcript = validated(b"".join(json_export.write(document, Options())))
    assert [segment["text"] for segment in transcript["segments"]] == texts(talk)
    words = [word for segment in talk for word in segment.words]
    exported = [word for segment in transcript["segments"] for word in segment["words"]]
    assert [(w["text"], w["start"], w["end"]) for w in exported] == [(w.text, w.start, w.end) for w in words]


def test_the_schema_rejects_an_incomplete_transcript():
    with pytest.raises(jsonschema.ValidationError):
        validated(write("json", []))  # without a ledger
