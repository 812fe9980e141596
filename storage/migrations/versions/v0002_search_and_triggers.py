"""Full-text search over talk, an index for `last_seen`, and an audit that only grows.

SQLite: an FTS5 index beside the table, fed by triggers; channel and sender are columns of it, so
that a search in one channel does not walk the matches of all. PostgreSQL: a generated `tsvector`
with a GIN index; its configuration stems English as `porter` does but keeps stop words, so that
both databases find the same lines.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TALK = "('said', 'action', 'notice')"
_REMOVE = (
    "INSERT INTO message_fts(message_fts, rowid, text, channel, sender) "
    "VALUES ('delete', old.id, old.text, old.channel, old.sender);"
)
_ADD = (
    "INSERT INTO message_fts(rowid, text, channel, sender) "
    "VALUES (new.id, new.text, new.channel, new.sender);"
)
# Triggers of one moment fire in no order: what is old leaves before, what is new comes after.
_SQLITE = (
    (
        "CREATE VIRTUAL TABLE message_fts USING fts5(text, channel, sender, content='message', "
        "content_rowid='id', tokenize='porter unicode61 remove_diacritics 2')"
    ),
    (
        "CREATE TRIGGER message_fts_insert AFTER INSERT ON message "
        f"WHEN new.kind IN {_TALK} BEGIN {_ADD} END"
    ),
    (
        "CREATE TRIGGER message_fts_delete AFTER DELETE ON message "
        f"WHEN old.kind IN {_TALK} BEGIN {_REMOVE} END"
    ),
    (
        "CREATE TRIGGER message_fts_update_old BEFORE UPDATE ON message "
        f"WHEN old.kind IN {_TALK} BEGIN {_REMOVE} END"
    ),
    (
        "CREATE TRIGGER message_fts_update_new AFTER UPDATE ON message "
        f"WHEN new.kind IN {_TALK} BEGIN {_ADD} END"
    ),
    (
        "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit "
        "BEGIN SELECT RAISE(ABORT, 'the audit chain is append-only'); END"
    ),
    (
        "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit "
        "BEGIN SELECT RAISE(ABORT, 'the audit chain is append-only'); END"
    ),
)
_POSTGRESQL = (
    "CREATE TEXT SEARCH DICTIONARY parley_stem (TEMPLATE = snowball, LANGUAGE = english)",
    "CREATE TEXT SEARCH CONFIGURATION parley (COPY = pg_catalog.simple)",
    (
        "ALTER TEXT SEARCH CONFIGURATION parley ALTER MAPPING FOR asciiword, asciihword, "
        "hword_asciipart, word, hword, hword_part WITH parley_stem"
    ),
    (
        "ALTER TABLE message ADD COLUMN search tsvector GENERATED ALWAYS AS "
        f"(CASE WHEN kind IN {_TALK} THEN to_tsvector('parley', text) END) STORED"
    ),
    "CREATE INDEX ix_message_search ON message USING gin (search)",
    (
        "CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit chain is append-only'; END $$"
    ),
    (
        "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit "
        "FOR EACH ROW EXECUTE FUNCTION audit_append_only()"
    ),
    (
        "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()"
    ),
)
_BOTH = ("CREATE INDEX ix_message_lower_sender ON message (lower(sender), said_at)",)


def upgrade() -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in (*_BOTH, *(_POSTGRESQL if postgresql else _SQLITE)):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP INDEX ix_message_lower_sender")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER audit_no_truncate ON audit")
        op.execute("DROP TRIGGER audit_append_only ON audit")
        op.execute("DROP FUNCTION audit_append_only")
        op.execute("ALTER TABLE message DROP COLUMN search")
        op.execute("DROP TEXT SEARCH CONFIGURATION parley")
        op.execute("DROP TEXT SEARCH DICTIONARY parley_stem")
        return
    for trigger in (
        *("audit_no_delete", "audit_no_update", "message_fts_update_new"),
        *("message_fts_update_old", "message_fts_delete", "message_fts_insert"),
    ):
        op.execute(f"DROP TRIGGER {trigger}")
    op.execute("DROP TABLE message_fts")
