"""A unit of work: one transaction, and the connection on which its statements run.

No ORM session: nothing here needs an identity map, and two dozen processes would pay for it with a
megabyte and a tenth of their time each.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class Unit:
    connection: AsyncConnection

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.connection.dialect.name
