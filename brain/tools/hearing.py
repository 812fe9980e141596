"""Tools over what was heard: find lines, when somebody was last seen, how much was said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from brain.errors import BadArguments
from brain.tools.context import Context
from brain.tools.period import NO_PERIOD, Period, ago, clock, period
from brain.tools.places import channel_asked, channel_named, nick_named
from brain.tools.quoting import LONGEST_QUOTE, counted, crop, of_people, people, quote
from brain.tools.recall import last_public, lines_of
from brain.tools.registry import Effects, ToolResult, tool
from brain.words import covers, stems
from storage import record
from storage import search as full_text
from storage.search import Found
from storage.tables import TALK, LineKind
from storage.unit import Unit

#: lines that a search looks at, and how many of them it shows
LOOKED_AT = 100
SHOWN = 5
#: lines of a past day that are counted
MOST_OF_A_DAY = 50_000

ChannelArgument = Annotated[str | None, "channel such as #lobby; left out: every channel"]
HoursArgument = Annotated[float | None, "only the last so many hours"]
DayArgument = Annotated[str | None, "only one day (UTC): today, yesterday or YYYY-MM-DD"]


@dataclass(frozen=True)
class _Scope:
    """Where, by whom and when to look."""

    channel: str | None
    nick: str | None
    when: Period

    @property
    def words(self) -> str:
        by = f" by {self.nick}" if self.nick else ""
        return f"{by}{_in(self.channel)}{self.when.words}"

    def label(self, context: Context, channel: str) -> str:
        """The channel's name, where a reader could not know which one is meant."""
        return "" if channel in (self.channel, context.channel) else channel


@tool(effects=Effects.READS, guard_class="memory")
async def search(  # noqa: PLR0917 (a model names every argument)
    context: Context,
    query: Annotated[str | None, "words to look for; may be left out when nick is given"] = None,
    channel: ChannelArgument = None,
    nick: Annotated[str | None, "only lines of this person"] = None,
    hours: HoursArgument = None,
    day: DayArgument = None,
) -> ToolResult:
    """Find lines that people said, with who said each and when; says how many there are."""
    words = (query or "").strip()
    if not words and not nick:
        raise BadArguments("search: give 'query' or 'nick'")
    when = period(hours, day, context.now())
    async with context.store.reading() as unit:
        place = await channel_named(context, unit, channel) if channel else None
        who = await nick_named(context, unit, nick, place) if nick else None
        if nick and who is None:
            return ToolResult(text=f"I have heard nobody called {nick}{_in(place)}.")
        scope = _Scope(place, who, when)
        if not words:
            return await _latest(context, unit, scope)
        found = await full_text.find(
            unit,
            words,
            channel=place,
            sender=who,
            since=when.since,
            until=when.until,
            limit=LOOKED_AT,
        )
    return _findings(context, words, found, scope)


async def _latest(context: Context, unit: Unit, scope: _Scope) -> ToolResult:
    """The latest lines of one person, newest first."""
    nick = scope.nick or ""
    lines = await lines_of(context, unit, nick, scope.channel, scope.when, LOOKED_AT)
    talk = of_people(context)
    lines = [m for m in lines if talk(m.sender, m.text)]
    if not lines:
        return ToolResult(text=f"I have heard nothing{scope.words}.")
    now = context.now()
    shown = lines[:SHOWN]
    rows = [
        quote(m.text, at=m.said_at, nick=m.sender, now=now, channel=scope.label(context, m.channel))
        for m in shown
    ]
    number = f"{len(lines)}{' or more' if len(lines) >= LOOKED_AT else ''}"
    head = f"Lines{scope.words}: newest {len(shown)} of {number} (UTC):"
    return ToolResult(
        text="\n".join([head, *rows]), evidence_ids=tuple(m.id for m in shown if m.id)
    )


def _findings(context: Context, words: str, found: Sequence[Found], scope: _Scope) -> ToolResult:
    talk = of_people(context)
    said = [f for f in found if context.may_quote(f.network, f.channel) and talk(f.sender, f.text)]
    about = f"“{words}”{scope.words}"
    if not said:
        return ToolResult(text=f"I have heard nothing about {about}.")
    wanted = set(stems(words))
    whole = [f for f in said if covers(f.text, wanted)]
    # Lines with all words by time; else those that have most of them come first.
    order = (lambda f: (f.said_at, f.id)) if whole else (lambda f: len(wanted & set(stems(f.text))))
    best = sorted(whole or said, key=order, reverse=True)
    shown = _shown(best)
    now = context.now()
    rows = [
        quote(
            f.text,
            at=f.said_at,
            nick=f.sender,
            now=now,
            channel=scope.label(context, f.channel),
            around=words,
        )
        for f in shown
    ]
    full = len(found) >= LOOKED_AT
    head = _head(about, best, len(shown), full=full) if whole else _near(about, best, len(shown))
    return ToolResult(text="\n".join([head, *rows]), evidence_ids=tuple(f.id for f in shown))


def _shown(best: Sequence[Found]) -> list[Found]:
    """The best line of each person first, so that an excerpt still tells who; then the others."""
    unlike = list({(f.sender, f.text): f for f in reversed(best)}.values())[::-1]
    by_person = {f.sender: f for f in reversed(unlike)}
    firsts = [f for f in unlike if by_person[f.sender] is f]
    others = [f for f in unlike if by_person[f.sender] is not f]
    chosen = [*firsts, *others][:SHOWN]
    return [f for f in best if f in chosen]


def _head(about: str, best: Sequence[Found], shown: int, *, full: bool) -> str:
    speakers = Counter(f.sender for f in best).most_common()
    number = f"{len(best)} lines or more" if full else counted(len(best), "line")
    by = f" (by {people(speakers, 4)})" if len(speakers) > 1 else ""
    order = "" if len(best) == 1 else f", newest {shown}" if shown < len(best) else ", newest first"
    return f"{about}: {number}{by}{order} (UTC):"


def _near(about: str, best: Sequence[Found], shown: int) -> str:
    return f"No line has all the words of {about}; nearest {shown} of {len(best)} (UTC):"


@tool(effects=Effects.READS, guard_class="memory")
async def seen(context: Context, nick: Annotated[str, "the person"]) -> ToolResult:
    """When somebody was last seen, where, and what they did then."""
    async with context.store.reading() as unit:
        name = await nick_named(context, unit, nick, None)
        last = await last_public(context, unit, name) if name else None
        said = await lines_of(context, unit, last.sender, None, NO_PERIOD, 1) if last else []
    wanted = nick.strip().lstrip("@").rstrip("?")
    card = next((c for c in context.roster() if wanted.lower() in (c.name, c.nick.lower())), None)
    known = f"{card.nick} is one of us: {card.description}" if card else ""
    if last is None:
        return ToolResult(text=known or f"I have never seen {wanted}.")
    now = context.now()
    when = f"{clock(last.said_at, now)} UTC ({ago(last.said_at, now)})"
    told = f"{last.sender} was last seen in {last.channel} at {when}, {_deed(last.kind, last.text)}"
    if last.kind not in TALK and said:
        words = crop(said[0].text, LONGEST_QUOTE)
        told += f" Last words, at {clock(said[0].said_at, now)}: {words}"
    evidence = (m.id for m in (last, *said) if m.id)
    return ToolResult(
        text=f"{known}\n{told}" if known else told, evidence_ids=tuple(dict.fromkeys(evidence))
    )


#: what somebody did, by the kind of their last line
_DEEDS = {
    LineKind.SAID: "saying: {}",
    LineKind.NOTICE: "saying: {}",
    LineKind.ACTION: "doing: * {}",
    LineKind.NICK: "taking the name {}",
    LineKind.TOPIC: "setting the topic: {}",
    LineKind.KICK: "kicking {}",
    LineKind.JOIN: "joining.",
    LineKind.PART: "leaving ({}).",
    LineKind.QUIT: "leaving ({}).",
}


def _deed(kind: str, text: str) -> str:
    told = _DEEDS[LineKind(kind)].format(crop(text, LONGEST_QUOTE))
    return told.replace(" ()", "")


@tool(effects=Effects.READS, guard_class="memory")
async def stats(
    context: Context,
    channel: Annotated[str | None, "channel; left out: the one of the question"] = None,
    hours: HoursArgument = None,
    day: DayArgument = None,
) -> ToolResult:
    """How much was said in a channel, by how many people, who talks most, and the busiest hour."""
    now = context.now()
    when = period(hours, day, now)
    async with context.store.reading() as unit:
        place = await channel_asked(context, unit, channel)
        found = await _figures(context, unit, place, when)
    if not found.lines or found.first_at is None or found.last_at is None:
        return ToolResult(text=f"I have heard nothing in {place}{when.words}.")
    span = f"{clock(found.first_at, now)} to {clock(found.last_at, now)} UTC"
    busiest = (
        "" if found.busiest_hour is None else f" Busiest hour: {found.busiest_hour:02d}:00 UTC."
    )
    said = f"{counted(found.lines, 'line')} by {counted(found.people, 'person')}"
    most = people(found.speakers, 5, found.people)
    return ToolResult(text=f"{place}{when.words}: {said}, {span}. Most: {most}.{busiest}")


async def _figures(context: Context, unit: Unit, place: str, when: Period) -> record.Stats:
    if when.since is None or when.until is None or when.until > context.now():
        return await record.stats(unit, place, when.since, network=context.network)
    heard = await record.between(
        unit, context.network, place, when.since, when.until, MOST_OF_A_DAY
    )
    talk = [m for m in heard if m.kind in TALK]
    speakers = Counter(m.sender for m in talk).most_common()
    hours = Counter(m.said_at.hour for m in talk).most_common(1)
    return record.Stats(
        lines=len(talk),
        speakers=speakers,
        people=len(speakers),
        first_at=talk[0].said_at if talk else None,
        last_at=talk[-1].said_at if talk else None,
        busiest_hour=hours[0][0] if hours else None,
    )


def _in(place: str | None) -> str:
    return f" in {place}" if place else ""
