"""The table of keys: what agents and outside senders sign with.

As `storage.tables`: one class a noun, times are aware UTC, a test compares them with the
migrations.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from storage.tables import utc_time

_SIGNS: Final = sa.text("retiring_at IS NULL AND revoked_at IS NULL")


class KeyKind(StrEnum):
    AGENT = "agent"
    #: somebody outside the swarm
    SENDER = "sender"


class KeyAlgorithm(StrEnum):
    ED25519 = "ed25519"
    HMAC_SHA256 = "hmac-sha256"


class SigningKey(SQLModel, table=True):
    """One key: an agent's Ed25519 pair, or the HMAC secret that an outside sender shares with us.

    What is secret of it is sealed by a master key that is nowhere in the database.
    """

    __tablename__ = "signing_key"
    __table_args__ = (
        # The database itself sees to it that nobody signs with two.
        sa.Index(
            "uq_signing_key_signs",
            "owner",
            unique=True,
            sqlite_where=_SIGNS,
            postgresql_where=_SIGNS,
        ),
        sa.Index("ix_signing_key_owner", "owner"),
    )
    key_id: str = Field(primary_key=True)
    #: an agent's name, or an outside sender's; the two share no name
    owner: str
    kind: str
    alg: str
    #: base64 of the Ed25519 public key; empty for HMAC
    public: str = ""
    #: base64 of the private key's, or the secret's, ciphertext
    sealed: str
    #: which master key sealed it
    master: str
    created_at: datetime = utc_time()
    expires_at: datetime = utc_time()
    #: it has a successor, and verifies until then
    retiring_at: datetime | None = utc_time(default=None)
    revoked_at: datetime | None = utc_time(default=None)
    revoked_by: str = ""
