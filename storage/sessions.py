"""Sessions (one conversation of one agent) and their turns (one question and what came of it)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from storage.core import INBOX, MESSAGE, REPLY, SESSION, TURN, run
from storage.record import LINE
from storage.tables import TALK, Message, Turn
from storage.text import storable
from storage.unit import Unit

#: turns and lines that are read at most, however small each one is
MOST_TURNS: Final = 100
MOST_LINES: Final = 60

_MOST_ANSWERS: Final = 500
#: clocks differ, and a line is heard after it was sent
_SLACK: Final = timedelta(minutes=2)
#: a row by its columns' names
Row = sa.RowMapping
_COLUMNS: Final = [TURN.c[name] for name in Turn.model_fields]
# Each answer passes here: put together once.
_OPEN: Final = {
    name: (add := dialect.insert(SESSION))
    .on_conflict_do_update(index_elements=["agent", "key"], set_={"last_at": add.excluded.last_at})
    .returning(SESSION.c.id)
    for name, dialect in (("sqlite", sqlite), ("postgresql", postgresql))
}
_ADD: Final = sa.insert(TURN).returning(TURN.c.id)
_TALK: Final = [str(kind) for kind in TALK]


async def open_session(unit: Unit, agent: str, key: str, now: datetime) -> int:
    """The id of this agent's session `key`, begun at `now` when there was none; something is said
    in it now.
    """
    values = {"agent": agent, "key": key, "started_at": now, "last_at": now}
    return int((await run(unit, _OPEN[unit.dialect], values)).scalar_one())


async def add_turn(
    unit: Unit,
    session_id: int,
    *,
    asker: str,
    asked: str,
    answer: str,
    model: str,
    started_at: datetime,
    finished_at: datetime,
    trace_id: str,
    inbox_id: int | None = None,
    steps: int = 0,
    prompt: str = "",
    cost_nusd: int = 0,
    input_tokens: int = 0,
    output_tokens: int = 0,
) -> int:
    """Append a turn to a session that was opened for it, and return its id. `prompt` names the
    system prompt, as in ``system@2:9f86d081``; `input_tokens` are all that were read, from a cache
    or not.
    """
    values = {
        "session_id": session_id,
        "inbox_id": inbox_id,
        "asker": asker,
        "asked": storable(asked),
        "answer": storable(answer),
        "model": model,
        "steps": steps,
        "prompt": prompt,
        "cost_nusd": cost_nusd,
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
        "started_at": started_at,
        "finished_at": finished_at,
        "trace_id": trace_id,
    }
    return int((await run(unit, _ADD, values)).scalar_one())


@dataclass(frozen=True)
class History:
    """What an agent knows of a conversation when the next question comes."""

    #: stands for earlier turns, empty when nothing was made shorter
    digest: str
    #: the newest of the turns behind it, oldest first
    turns: tuple[Turn, ...]
    #: there are older turns behind the digest that did not fit
    is_cut: bool = False


async def history(unit: Unit, agent: str, key: str, n: int) -> History:
    """The history of an agent's session: at most `n` turns."""
    row = await _row(unit, agent, key)
    if row is None:
        return History("", ())
    turns = await _newest(unit, _behind(row), n + 1)
    return History(row.digest, tuple(turns[-n:] if n else ()), is_cut=len(turns) > n)


async def window(
    unit: Unit, agent: str, key: str, *, tokens: int, size: Callable[[str], int]
) -> History:
    """The history that fits `tokens`: the digest first, then the newest turns without a gap. `size`
    says how many tokens a text has.
    """
    row = await _row(unit, agent, key)
    if row is None:
        return History("", ())
    digest = row.digest if size(row.digest) <= tokens else ""
    left = tokens - size(digest)
    query = sa.select(*_COLUMNS).where(_behind(row)).order_by(TURN.c.id.desc())
    rows = (await run(unit, query.limit(MOST_TURNS + 1))).mappings().all()
    kept = _fitting(
        rows[:MOST_TURNS], left, lambda turn: size(turn["asked"]) + size(turn["answer"])
    )
    turns = tuple(Turn(**turn) for turn in kept)
    return History(digest, turns, is_cut=len(turns) < len(rows))


async def unmentioned(
    unit: Unit,
    agent: str,
    network: str,
    channel: str,
    *,
    tokens: int,
    size: Callable[[str], int],
    before_id: int | None = None,
) -> list[Message]:
    """The newest talk of a channel, before the line `before_id` if one is given, that fits `tokens`
    and belongs to no turn of `agent`: neither asked of it nor answered by it. Oldest first.
    """
    c = MESSAGE.c
    where = [~sa.exists().where(INBOX.c.message_id == c.id, INBOX.c.agent == agent)]
    if before_id is not None:
        where.append(c.id < before_id)
    lines = await _talk(unit, network, channel, sa.and_(*where))
    answers = await _answers(unit, agent, [line for line in lines if line["agent"] == agent])
    others = [line for line in lines if line["agent"] != agent or line["text"] not in answers]
    return _lines(others, tokens, size)


async def talk(
    unit: Unit,
    network: str,
    channel: str,
    *,
    since: datetime,
    tokens: int,
    size: Callable[[str], int],
) -> list[Message]:
    """The newest talk of a channel said from `since` on that fits `tokens`, oldest first."""
    # Not asked of the database, which would look through a whole channel for it.
    lines = await _talk(unit, network, channel, sa.true())
    return _lines([line for line in lines if line["said_at"] >= since], tokens, size)


async def _talk(
    unit: Unit, network: str, channel: str, where: sa.ColumnElement[bool]
) -> Sequence[Row]:
    """Newest first."""
    c = MESSAGE.c
    query = sa.select(*LINE).where(
        c.network == network, c.channel == channel, c.kind.in_(_TALK), where
    )
    return (await run(unit, query.order_by(c.id.desc()).limit(MOST_LINES))).mappings().all()


async def _answers(unit: Unit, agent: str, own: Sequence[Row]) -> set[str]:
    """Texts that the agent said in answer to something, since about the oldest of its `own` lines:
    a line knows who said it, and not why.
    """
    if not own:
        return set()
    since = min(line["said_at"] for line in own) - _SLACK
    c = REPLY.c
    query = sa.select(c.text).where(
        c.agent == agent, c.sending_at >= since, c.inbox_id.is_not(None)
    )
    return {*(await run(unit, query.order_by(c.id.desc()).limit(_MOST_ANSWERS))).scalars()}


def _lines(newest: Sequence[Row], tokens: int, size: Callable[[str], int]) -> list[Message]:
    kept = _fitting(newest, tokens, lambda line: size(line["sender"]) + size(line["text"]))
    return [Message(**line) for line in kept]


def _fitting(newest: Sequence[Row], tokens: int, size: Callable[[Row], int]) -> list[Row]:
    """The first of `newest` that fit together, without a gap, oldest first."""
    kept: list[Row] = []
    for row in newest:
        tokens -= size(row)
        if tokens < 0:
            break
        kept.append(row)
    return kept[::-1]


async def since_begun(unit: Unit, agent: str, key: str, n: int) -> list[Turn]:
    """The newest `n` turns since the conversation began anew, also those that a digest stands for;
    none when no turn came since the digest.
    """
    row = await _row(unit, agent, key)
    if row is None:
        return []
    where = sa.and_(TURN.c.session_id == row.id, TURN.c.id > row.begun_after)
    turns = await _newest(unit, where, n)
    return turns if turns and (turns[-1].id or 0) > row.digest_until else []


async def begin_anew(unit: Unit, agent: str, key: str) -> bool:
    """What was said so far is history no more; False when there was none."""
    row = await _row(unit, agent, key)
    newest = sa.select(sa.func.max(TURN.c.id))
    last = row and (await run(unit, newest.where(TURN.c.session_id == row.id))).scalar()
    if row is None or last is None or last <= row.begun_after:
        return False
    values = {"begun_after": last, "digest_until": 0, "digest": "", "digest_at": None}
    await run(unit, sa.update(SESSION).where(SESSION.c.id == row.id).values(**values))
    return True


async def compact(
    unit: Unit, agent: str, key: str, *, until: int, digest: str, now: datetime
) -> bool:
    """From now on `digest` stands for the turns up to the id `until`. False when somebody began the
    conversation anew meanwhile, or another digest reaches as far.
    """
    c = SESSION.c
    change = sa.update(SESSION).where(
        c.agent == agent, c.key == key, c.begun_after < until, c.digest_until < until
    )
    done = await run(
        unit, change.values(digest_until=until, digest=storable(digest), digest_at=now)
    )
    return done.rowcount == 1


def _behind(row: sa.Row[*tuple[Any, ...]]) -> sa.ColumnElement[bool]:
    """Turns that no digest stands for."""
    behind = max(row.begun_after, row.digest_until)
    return sa.and_(TURN.c.session_id == row.id, TURN.c.id > behind)


async def _row(unit: Unit, agent: str, key: str) -> sa.Row[*tuple[Any, ...]] | None:
    c = SESSION.c
    query = sa.select(c.id, c.begun_after, c.digest_until, c.digest)
    return (await run(unit, query.where(c.agent == agent, c.key == key))).first()


async def _newest(unit: Unit, where: sa.ColumnElement[bool], n: int) -> list[Turn]:
    query = sa.select(*_COLUMNS).where(where).order_by(TURN.c.id.desc()).limit(n)
    return [Turn(**row) for row in reversed((await run(unit, query)).mappings().all())]


async def prune(unit: Unit, before: datetime) -> int:
    """Delete turns that ended before `before`, digests made before it, and sessions that nobody
    spoke in since; returns how many turns.
    """
    gone = await run(unit, sa.delete(TURN).where(TURN.c.finished_at < before))
    old = sa.update(SESSION).where(SESSION.c.digest_at < before)
    await run(unit, old.values(digest="", digest_at=None))
    empty = ~sa.exists().where(TURN.c.session_id == SESSION.c.id)
    await run(unit, sa.delete(SESSION).where(SESSION.c.last_at < before, empty))
    return gone.rowcount
