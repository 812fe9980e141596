"""The stores of the storage tests: everything here runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from tests.integration.storage.conftest import empty_database, migrated, postgresql, sql, store

__all__ = ["empty_database", "migrated", "postgresql", "sql", "store"]
