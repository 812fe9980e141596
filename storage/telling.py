"""What a driver says about an unusable database, as a sentence that a person can act on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from storage.errors import StorageError, StoreUnavailable

_SENTENCES: Final = (
    ("database is locked", "it is locked by another process"),
    ("database table is locked", "it is locked by another process"),
    ("readonly database", "it is read-only; check the owner and the permissions of its folder"),
    ("disk is full", "the disk is full"),
    ("No space left on device", "the disk is full"),
    ("unable to open database file", "the file cannot be opened; its folder must exist"),
    ("disk I/O error", "the disk reported an error"),
    ("file is not a database", "the file is no SQLite database"),
    ("malformed", "the file is damaged"),
)
_NO_TABLES: Final = ("no such table", 'relation "')


@contextmanager
def telling(url: sa.URL) -> Iterator[None]:
    """Turn what a driver says about an unusable database into `StoreUnavailable` with a sentence.

    Errors of a statement (a broken constraint, a type) pass as they are.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise StoreUnavailable(_sentence(url, str(error))) from error
    except DBAPIError as error:
        said = str(error.orig)
        if any(words in said for words in _NO_TABLES) and "constraint" not in said:
            raise StorageError(
                f"The database {name_of(url)} has not been set up: `run.py up` does it."
            ) from error
        if error.connection_invalidated or _is_about_the_database(error, said):
            raise StoreUnavailable(_sentence(url, said)) from error
        raise


def name_of(url: sa.URL) -> str:
    """The database without its password."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return url.render_as_string(hide_password=True)


def _is_about_the_database(error: DBAPIError, said: str) -> bool:
    if any(words in said for words, _ in _SENTENCES):
        return True
    if isinstance(error, sa.exc.OperationalError):
        # SQLite reports broken SQL as an operational error too.
        return "syntax error" not in said and "no such column" not in said
    return isinstance(error, sa.exc.InterfaceError)


def _sentence(url: sa.URL, said: str) -> str:
    why = next((sentence for words, sentence in _SENTENCES if words in said), None)
    return f"The database {name_of(url)} cannot be used: {why or said.strip().splitlines()[0]}."
