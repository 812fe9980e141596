"""What people call a channel or a nick, turned into what the record knows it by."""

from __future__ import annotations

import difflib

from brain.errors import BadArguments
from brain.tools.context import Context
from brain.tools.recall import last_public
from storage import record
from storage.unit import Unit

#: between a channel and the title of a thread in it, as the record names threads
THREAD = " / "
#: titles that are named when none fits
MOST_THREADS = 10
#: how like a mistyped nick must be: ``brigit`` is birgit, ``ada`` is not nadia
LIKE_ENOUGH = 0.8
#: nicks of a channel that a mistyped one is compared with
MOST_SPEAKERS = 500


async def channel_named(context: Context, unit: Unit, name: str) -> str:
    """The recorded channel that `name` means, with or without ``#`` and with small typing errors.

    Raises `BadArguments` that names the channels there are.
    """
    wanted = name.strip().lower().rstrip("?.,!")
    if wanted.lstrip("#&") in ("here", "this", "this channel", ""):
        return await channel_here(context, unit)
    wanted = wanted if wanted.startswith(("#", "&")) else f"#{wanted}"
    if wanted == context.channel:
        return wanted
    known = [channel for _, channel, _ in await _channels(context, unit)]
    near = [wanted] if wanted in known else difflib.get_close_matches(wanted, known, 1, 0.6)
    if near:
        return near[0]
    there_are = f"I have heard {', '.join(sorted(known))}" if known else "I have heard none yet"
    raise BadArguments(f"I know no channel {wanted}; {there_are}.")


async def channel_asked(context: Context, unit: Unit, name: str | None) -> str:
    """`channel_named` when a channel was named, else `channel_here`."""
    return await channel_named(context, unit, name) if name else await channel_here(context, unit)


async def channel_here(context: Context, unit: Unit) -> str:
    """The channel of the question; in private the one with most lines. Raises `BadArguments`."""
    if context.channel is not None:
        return context.channel
    known = await _channels(context, unit)
    if not known:
        raise BadArguments("I have heard no channel yet.")
    return max(known, key=lambda entry: entry[2])[1]


async def thread_asked(context: Context, unit: Unit, words: str | None) -> str:
    """The recorded thread whose title has `words`, the one with most lines if there are several;
    without words the question's own. Raises `BadArguments` that names threads there are.
    """
    here = context.channel or ""
    if not words and THREAD in here:
        return here
    known = {c: lines for _, c, lines in await _channels(context, unit) if THREAD in c}
    wanted = (words or "").strip().lower()
    fits = [c for c in known if wanted and wanted in c.lower()]
    if not fits:
        titles = {c.partition(THREAD)[2].lower(): c for c in known}
        fits = [titles[t] for t in difflib.get_close_matches(wanted, titles, 1, 0.6)]
    if fits:
        return max(fits, key=lambda c: known[c])
    what = f"no thread “{words}”" if words else "not which thread you mean"
    some = sorted(known, key=lambda c: -known[c])[:MOST_THREADS]
    there_are = f"I have heard {'; '.join(some)}" if some else "I have heard none"
    raise BadArguments(f"I know {what}; {there_are}.")


async def nick_named(context: Context, unit: Unit, name: str, channel: str | None) -> str | None:
    """The nick that the record has for `name`, the nearest one for a typing error, None when there
    is none.
    """
    wanted = name.strip().lstrip("@").rstrip("?.,!:")
    seen = await last_public(context, unit, wanted, channel)
    if seen is not None:
        return seen.sender
    speakers: dict[str, str] = {}
    channels = [channel] if channel else [c for _, c, _ in await _channels(context, unit)]
    for each in channels:
        stats = await record.stats(unit, each, network=context.network, speakers=MOST_SPEAKERS)
        speakers |= {nick.lower(): nick for nick, _ in stats.speakers}
    near = difflib.get_close_matches(wanted.lower(), list(speakers), 1, LIKE_ENOUGH)
    return speakers[near[0]] if near else None


async def _channels(context: Context, unit: Unit) -> list[tuple[str, str, int]]:
    """Public channels of this network: (network, channel, lines). Private talk is nobody else's
    business.
    """
    return [
        (network, channel, lines)
        for network, channel, lines in await record.channels(unit)
        if network == context.network and context.may_quote(network, channel)
    ]
