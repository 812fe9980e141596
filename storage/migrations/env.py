"""Alembic's environment for both databases, on the connection that `storage.migrate` opened."""

from __future__ import annotations

from alembic import context
from sqlmodel import SQLModel

# Comparing needs the tables registered, which is what importing them does.
from storage import (  # noqa: F401
    delegation_tables,
    event_tables,
    key_tables,
    ledger_tables,
    model_tables,
    project_tables,
    request_tables,
    tables,
    talk_tables,
    workflow_tables,
)
from storage.migrations.scope import belongs_to_metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    include_name=belongs_to_metadata,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
