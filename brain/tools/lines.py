"""Recorded lines as a model can name them: by words of theirs, for it never sees an id."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import sqlalchemy as sa

from brain.errors import ToolError
from brain.tools.context import Context
from brain.tools.quoting import crop
from storage import record
from storage.core import MESSAGE
from storage.tables import TALK, Message
from storage.text import storable
from storage.unit import Unit

#: lines with those words that are looked at
_CANDIDATES: Final = 50


def _any(_text: str) -> bool:
    return True


async def line_with(
    context: Context,
    words: str,
    channel: str | None = None,
    *,
    fits: Callable[[str], bool] = _any,
) -> Message:
    """The newest line that has `words` in it and whose text `fits`, of `channel` or of the
    question's own; raises `ToolError`. The question is not meant by its own words.
    """
    where = channel or context.channel
    if where is None:
        raise ToolError("in private there is no channel to find the line in; name one")

    async def read(unit: Unit) -> list[Message]:
        query = (
            sa.select(*record.LINE)
            .where(
                MESSAGE.c.network == context.network,
                MESSAGE.c.channel == where,
                MESSAGE.c.kind.in_([str(kind) for kind in TALK]),
                MESSAGE.c.id != (context.message_id or 0),
                MESSAGE.c.text.icontains(storable(words.strip()), autoescape=True),
            )
            .order_by(MESSAGE.c.id.desc())
            .limit(_CANDIDATES)
        )
        return await record.messages(unit, query)

    found = [line for line in await context.store.read(read) if fits(line.text)]
    if not found or not context.may_quote(context.network, where):
        raise ToolError(f"there is no line with “{crop(words, 60)}” in {where}")
    return found[0]
