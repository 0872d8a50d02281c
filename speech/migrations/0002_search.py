"""Full-text index of all segments. What it indexes are the tokens in `Segment.search`, so neither database's own rules for
words, case and accents apply.

SQLite has an FTS5 table that triggers fill; PostgreSQL has an index on the column. A later migration that makes Django
rebuild the table of segments on SQLite must create the triggers again.
"""

from typing import Any

from django.db import migrations

SQLITE = [
    # The tokenizer “ascii” separates at spaces and keeps all other characters of the tokens.
    # `prefix`: without it, three letters and a star would scan every word that begins with them.
    "CREATE VIRTUAL TABLE speech_search USING fts5(owner, text, prefix = '3', tokenize = 'ascii')",
    """
    CREATE TRIGGER speech_search_insert AFTER INSERT ON speech_segment BEGIN
        INSERT INTO speech_search (rowid, owner, text)
        SELECT new.id, owner_id, new.search FROM speech_session WHERE id = new.session_id;
    END
    """,
    """
    CREATE TRIGGER speech_search_update AFTER UPDATE OF search ON speech_segment BEGIN
        UPDATE speech_search SET text = new.search WHERE rowid = new.id;
    END
    """,
    """
    CREATE TRIGGER speech_search_delete AFTER DELETE ON speech_segment BEGIN
        DELETE FROM speech_search WHERE rowid = old.id;
    END
    """,
]
POSTGRESQL = ["CREATE INDEX speech_segment_search ON speech_segment USING gin (search) WHERE replaced_by_id IS NULL"]


def create(apps: Any, schema_editor: Any) -> None:
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("speech", "0001_initial")]
    operations = [migrations.RunPython(create)]
