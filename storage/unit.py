"""A unit of work: one transaction, and how its statements run.

No ORM session: nothing here needs an identity map, and two dozen processes would pay for it with a
megabyte and a tenth of their time each.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa

T = TypeVar("T")
Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
Rows = sa.CursorResult[*tuple[Any, ...]]


class Aside(Protocol):
    """Does what blocks somewhere else, and waits for it without blocking."""

    def __call__(self, work: Callable[[], T]) -> Awaitable[T]: ...


@dataclass(frozen=True, slots=True)
class Unit:
    connection: sa.Connection
    #: None where the caller may be blocked: then nothing in a unit of work waits
    aside: Aside | None = None
    #: what is written here survives a power cut once it is committed
    durable: bool = field(default=False, kw_only=True)

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.connection.dialect.name

    async def execute(self, statement: sa.Executable, parameters: Parameters = None) -> Rows:
        """Run one statement; its rows, if it has any, are all there when this returns."""
        work: Callable[[], Rows] = partial(self.connection.execute, statement, parameters)
        return work() if self.aside is None else await self.aside(work)
