"""What a comparison of the database with the tables leaves out, as only migrations make it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

#: the full-text indexes of SQLite and their shadow tables begin so
FTS_PREFIXES: Final = ("message_fts", "knowledge_fts")
_ONLY_IN_DATABASE: Final = {
    ("column", "search"),
    ("index", "ix_message_search"),
    ("index", "ix_knowledge_search"),
    ("index", "ix_message_lower_sender"),
}


def belongs_to_metadata(name: str | None, kind: str, _parents: Mapping[Any, str | None]) -> bool:
    """Alembic's ``include_name``: False for the search indexes and for indexes on expressions."""
    if kind == "table" and name is not None and name.startswith(FTS_PREFIXES):
        return False
    return (kind, name) not in _ONLY_IN_DATABASE
