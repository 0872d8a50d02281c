"""Full-text index of all segments, which the database itself keeps up to date.

SQLite has an FTS5 table that triggers fill; PostgreSQL has a generated column with an index. Both normalize words as
`speech.text.tokenize` does. A later migration that makes Django rebuild the table of segments on SQLite must create the
triggers again.
"""

from typing import Any

from django.db import migrations

SQLITE = [
    # `prefix`: without it, three letters and a star would scan every word that begins with them.
    """
    CREATE VIRTUAL TABLE speech_search USING fts5(
        owner, text, prefix = '3', tokenize = "unicode61 remove_diacritics 2 categories 'L* N*'"
    )
    """,
    """
    CREATE TRIGGER speech_search_insert AFTER INSERT ON speech_segment BEGIN
        INSERT INTO speech_search (rowid, owner, text)
        SELECT new.id, owner_id, new.text FROM speech_session WHERE id = new.session_id;
    END
    """,
    """
    CREATE TRIGGER speech_search_update AFTER UPDATE OF text ON speech_segment BEGIN
        UPDATE speech_search SET text = new.text WHERE rowid = new.id;
    END
    """,
    """
    CREATE TRIGGER speech_search_delete AFTER DELETE ON speech_segment BEGIN
        DELETE FROM speech_search WHERE rowid = old.id;
    END
    """,
]
POSTGRESQL = [
    r"""
    ALTER TABLE speech_segment ADD COLUMN search tsvector GENERATED ALWAYS AS (to_tsvector('simple',
        regexp_replace(lower(regexp_replace(normalize(text, NFKD), U&'[\0300-\036f]+', '', 'g')),
            '[]!-/:-@[\\^_`{-~’‘“”…–—]+', ' ', 'g')
    )) STORED
    """,
    "CREATE INDEX speech_segment_search ON speech_segment USING gin (search) WHERE replaced_by_id IS NULL",
]


def create(apps: Any, schema_editor: Any) -> None:
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("speech", "0001_initial")]
    operations = [migrations.RunPython(create)]
