"""The list of sessions: search, sorting, tags, deletion and restoring, by the owner only."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from speech.models import Session
from speech.models.conversation import ASSISTANT, USER
from tests.support.speech.sessions import create_conversation, create_session, create_user


def listed(pages, **query):
    return [session.opening for session in pages.get("/sessions/", query).context["page_obj"]]


def do(pages, action, *sessions, **fields):
    selected = [str(session.pk) for session in sessions]
    return pages.post("/sessions/bulk/", {"do": action, "session": selected, **fields}, follow=True)


def test_the_list_is_sorted_by_time_duration_and_title(pages, owner):
    long = create_session(owner, "b is a long one of many words")
    short = create_session(owner, "a is short")
    Session.objects.filter(pk=short.pk).update(created_at=timezone.now() + timedelta(hours=1))
    assert listed(pages) == listed(pages, sort="title") == [short.opening, long.opening]
    assert listed(pages, sort="oldest") == listed(pages, sort="longest") == [long.opening, short.opening]


def test_the_list_is_filtered_by_tag_language_and_day(pages, owner):
    first, second = create_session(owner, "first"), create_session(owner, "second")
    first.tag_as(["Garden"])
    Session.objects.filter(pk=second.pk).update(language="fr", created_at=timezone.now() - timedelta(days=3))
    yesterday = (timezone.now() - timedelta(days=1)).date().isoformat()
    assert listed(pages, tag="Garden") == listed(pages, language="en") == listed(pages, since=yesterday) == ["first"]
    assert listed(pages, language="fr") == listed(pages, until=yesterday) == ["second"]
    assert listed(pages, tag="Garden", language="fr") == []


def test_only_the_owners_tags_are_offered(pages, owner):
    own, foreign = create_session(owner, "mine"), create_session(create_user("bob@example.org"), "his")
    own.tag_as(["Garden"])
    foreign.tag_as(["Diagnosis"])
    for path in ("/sessions/", own.get_absolute_url()):
        page = pages.get(path).content.decode()
        assert ("Garden" in page, "Diagnosis" in page) == (True, False)


def test_conversations_have_a_badge_and_a_filter(pages, owner):
    create_session(owner, "a dictation")
    create_conversation(owner, (ASSISTANT, 0.0, "Hello!"), (USER, 2.0, "good morning"))
    assert listed(pages, kind="conversation") == ["good morning"]
    assert listed(pages, kind="transcript") == ["a dictation"]
    assert set(listed(pages)) == {"good morning", "a dictation"}
    assert pages.get("/sessions/").content.decode().count(">Conversation</span>") == 1


def test_the_words_of_both_speakers_are_found(pages, owner):
    create_conversation(owner, (USER, 0.0, "where is the crystal palace"), (ASSISTANT, 4.0, "It stands in Madrid."))
    for word in ("crystal", "madrid"):
        assert f"<mark>{word}" in pages.get("/sessions/", {"q": word, "kind": "conversation"}).content.decode().lower()
    assert "No results" in pages.get("/sessions/", {"q": "crystal", "kind": "transcript"}).content.decode()


@pytest.mark.parametrize(
    "query",
    [
        {"sort": "x"},
        {"kind": "x"},
        {"since": "soon"},
        {"page": "-3"},
        {"before": "x" * 99},
        {"before": "9" * 30},
    ],
)
def test_invalid_filters_are_ignored(pages, owner, query):
    create_session(owner, "first")
    assert pages.get("/sessions/", query).status_code == 200


def test_matches_are_marked_and_link_to_their_segment(pages, owner):
    session = create_session(owner, "in the heart of paris", "is the crystal palace")
    segment = session.segments.last()
    html = pages.get("/sessions/", {"q": "crystal"}).content.decode()
    assert f'<a href="/sessions/{session.pk}/?q=crystal#u{segment.pk}">is the <mark>crystal</mark> palace' in html
    assert "No results" in pages.get("/sessions/", {"q": "diamond"}).content.decode()


def test_titles_and_tags_are_found_too(pages, owner):
    session = create_session(owner, "hello")
    session.tag_as(["garden"])
    Session.objects.filter(pk=session.pk).update(title="About the bridge")
    for text in ("bridge", "Garden"):
        assert [found.pk for found in pages.get("/sessions/", {"q": text}).context["title_matches"]] == [session.pk]


def test_titles_and_tags_are_found_however_they_are_written(pages, owner):
    session, party = create_session(owner, "hello"), create_session(owner, "bye")
    session.tag_as(["Été"])
    Session.objects.filter(pk=session.pk).update(title="Die Große Йод-東京タワー")
    Session.objects.filter(pk=party.pk).update(title="🎉 100%")
    for text in ("GROSSE", "йод", "タワー", "ete", "roß", "grosse йод"):
        assert [found.pk for found in pages.get("/sessions/", {"q": text}).context["title_matches"]] == [session.pk]
    for text in ("🎉", "100"):
        assert [found.pk for found in pages.get("/sessions/", {"q": text}).context["title_matches"]] == [party.pk]
    for text in ("_", "%%", "größere"):
        assert [*pages.get("/sessions/", {"q": text}).context["title_matches"]] == []


def test_a_tag_is_the_same_in_any_case(owner):
    session = create_session(owner, "hello")
    session.tag_as(["ÉTÉ", "Straße"])
    session.tag_as(["été", "STRASSE", "new"])
    assert sorted(tag.name for tag in session.tags.all()) == ["Straße", "new", "ÉTÉ"]


def test_a_long_search_finds_all_of_it_or_says_why_not(pages, owner):
    text = " ".join(f"word{n}" for n in range(60))
    create_session(owner, text, "other words")
    page = pages.get("/sessions/", {"q": text})
    assert [excerpt.segment.text for _, excerpts in page.context["results"] for excerpt in excerpts] == [text]
    page = pages.get("/sessions/", {"q": "word1 " * 200})
    assert "The search has 1199 characters, and the limit is 1000. Search for a part of it." in page.content.decode()
    assert "page_obj" not in page.context
    assert "no letters or digits" in pages.get("/sessions/", {"q": "?!"}).content.decode()
    session = Session.objects.get()
    assert pages.get(f"/sessions/{session.pk}/", {"q": "word1 " * 200}).status_code == 200


def test_an_excerpt_is_short_in_scripts_without_spaces_too(pages, owner):
    create_session(owner, "あ" * 500 + "東京タワー" + "い" * 500, "x" * 79 + " crystal, glass " + "y " * 200)
    html = pages.get("/sessions/", {"q": "東京"}).content.decode()
    assert f"… {'あ' * 80}<mark>東京</mark>タワー{'い' * 77} …" in html
    html = pages.get("/sessions/", {"q": "crystal glass"}).content.decode()
    assert f">{'x' * 79} <mark>crystal, glass</mark> {'y ' * 38}y …" in html


def test_search_results_are_paginated(pages, owner):
    create_session(owner, *(f"number {n}" for n in range(40)))
    first = pages.get("/sessions/", {"q": "number"})
    second = pages.get("/sessions/", {"q": "number", "before": first.context["older"]})
    texts = [e.segment.text for page in (second, first) for _, excerpts in page.context["results"] for e in excerpts]
    assert texts == [f"number {n}" for n in range(40)]
    assert second.context["older"] is None


def test_tags_are_added_and_removed_in_bulk(pages, owner):
    one, two = create_session(owner, "one"), create_session(owner, "two")
    do(pages, "tag", one, two, tag=" Garden ")
    do(pages, "tag", one, tag="garden")
    assert [[str(tag) for tag in session.tags.all()] for session in (one, two)] == [["Garden"], ["Garden"]]
    do(pages, "untag", one, tag="GARDEN")
    assert listed(pages, tag="Garden") == ["two"]


def test_bulk_deletion_can_be_undone(pages, owner):
    one, two, _ = (create_session(owner, text) for text in ("one", "two", "three"))
    page = do(pages, "delete", one, two)
    assert listed(pages) == ["three"]
    assert "2 sessions deleted." in page.content.decode()
    pages.post("/sessions/undo/", {"at": page.context["undo"]["at"]})
    assert sorted(listed(pages)) == ["one", "three", "two"]


def test_an_undo_restores_only_what_its_deletion_deleted(pages, owner):
    first, second = create_session(owner, "first"), create_session(owner, "second")
    do(pages, "delete", first)
    moment, _ = Session.objects.filter(pk=second.pk).soft_delete()
    assert Session.objects.filter(pk=second.pk).soft_delete()[1] == 0  # deleted twice at once: the first one counts
    pages.post("/sessions/undo/", {"at": moment.isoformat()})
    assert listed(pages) == ["second"]


def test_the_trash_restores_or_permanently_deletes(pages, owner):
    one, two = create_session(owner, "one"), create_session(owner, "two")
    do(pages, "delete", one)
    do(pages, "delete", two)
    assert pages.get(f"/sessions/{one.pk}/").status_code == 404
    assert [session.opening for session in pages.get("/sessions/deleted/").context["sessions"]] == ["two", "one"]
    pages.post(f"/sessions/deleted/{one.pk}/restore/")
    pages.post("/sessions/deleted/permanently/")
    assert listed(pages) == ["one"]
    assert not Session.objects.filter(pk=two.pk).exists()


def test_a_live_session_cannot_be_deleted(pages, owner):
    session = Session.acquire(owner, None)
    session.start("checksum", "en")
    assert "stop the live session first" in do(pages, "delete", session).content.decode()
    assert Session.objects.of(owner).exists()


def test_other_users_sessions_cannot_be_changed(pages, owner):
    other = create_session(create_user("eve@example.org"), "not yours")
    do(pages, "delete", other)
    do(pages, "tag", other, tag="mine")
    Session.objects.filter(pk=other.pk).soft_delete()
    other.refresh_from_db()
    assert pages.post(f"/sessions/deleted/{other.pk}/restore/").status_code == 404
    pages.post("/sessions/undo/", {"at": other.deleted_at.isoformat()})
    pages.post("/sessions/deleted/permanently/")
    other.refresh_from_db()
    assert other.deleted_at
    assert not other.tags.exists()


def test_the_list_needs_no_more_queries_for_many_sessions(pages, owner):
    queries = []
    for count in (1, 29):
        for n in range(count):
            create_session(owner, f"number {n}", "again").tag_as([f"tag {n}"])
        for query in ({}, {"q": "number"}):
            with CaptureQueriesContext(connection) as counted:
                pages.get("/sessions/", query)
            queries.append(len(counted))
    assert queries[:2] == queries[2:]
