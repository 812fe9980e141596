"""Recorded lines as a model can name them: by words of theirs, for it never sees an id."""

from __future__ import annotations

import sqlalchemy as sa

from brain.errors import ToolError
from brain.tools.context import Context
from brain.tools.quoting import crop
from storage import record
from storage.core import MESSAGE
from storage.tables import TALK, Message
from storage.text import storable
from storage.unit import Unit


async def line_with(context: Context, words: str, channel: str | None = None) -> Message:
    """The newest line that has `words` in it, of `channel` or of the question's own; raises
    `ToolError`. The question is not meant by its own words.
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
            .limit(1)
        )
        return await record.messages(unit, query)

    found = await context.store.read(read)
    if not found or not context.may_quote(context.network, where):
        raise ToolError(f"there is no line with “{crop(words, 60)}” in {where}")
    return found[0]
