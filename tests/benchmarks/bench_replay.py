"""A whole day at full speed: every line stored once, how fast, and nobody answers chatter."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from bots.cli.project import ROOT
from bots.irc.casemapping import fold
from bots.irc.formatting import plain
from bots.replay.nicks import Nicks
from bots.replay.parse import Event, EventKind, parse
from bots.replay.speak import NICK_LIMIT, Speaker
from bots.tour.sandbox import Sandbox
from tests.benchmarks.figures import at_least, at_most, progress, report, skipped, spread
from tests.benchmarks.swarms import rows, swarm

DAY = ROOT.parent / "shared" / "data" / "ubuntu-irc" / "2008-04-27.txt"
SHIPPED = ROOT / "prompts" / "tour" / "conversation.txt"
CHANNEL = "#lobby"
RUNS = 3
#: the shipped conversation is repeated so often, under other nicks each time
COPIES = 20
STORED_WITHIN_S = 30.0
#: a reply to chatter would come within this time
QUIET_S = 2.0
_TALK = (EventKind.SAID, EventKind.ACTION)
_LOOK_EVERY_S = 0.01
_STORED = "select sender, text from message where channel = ? and kind in ('said', 'action')"
_COUNT = "select count(*) from message where channel = ? and kind in ('said', 'action')"


async def main() -> None:
    events, what = day()
    rates: list[float] = []
    spoken: list[float] = []
    wrong = replies = 0
    for number in range(RUNS):
        async with swarm((ROOT / "prompts/tour/swarm.toml").read_text()) as sandbox:
            await sandbox.start()
            run = await replay(sandbox, events)
            progress(f"run {number + 1} of {RUNS}: {run}")
            rates.append(run.rate)
            spoken.append(run.spoken_rate)
            wrong += run.missing + run.twice
            replies += run.replies
    report(
        "replay",
        "lines stored, from the first one sent to the last one stored",
        statistics.median(rates),
        "lines/s",
        target=at_least(500),
        note=f"{spread(rates, 0)} runs of {what}; 8 agents hear; "
        f"spoken at {statistics.median(spoken):.0f} lines/s",
    )
    report(
        "replay",
        "lines missing or stored twice",
        wrong,
        "lines",
        target=at_most(0),
        note=f"multiset of nick and text against the log, all {RUNS} runs together",
    )
    report(
        "replay",
        "replies to chatter that addressed nobody",
        replies,
        "lines",
        target=at_most(0),
        note=f"everything agents said, all {RUNS} runs together",
    )


class Run:
    """What came of one replay."""

    def __init__(
        self,
        lines: int,
        spoken_s: float,
        stored_s: float,
        want: Counter[tuple[str, str]],
        have: Counter[tuple[str, str]],
    ) -> None:
        self.rate = lines / stored_s
        self.spoken_rate = lines / spoken_s
        self.missing = sum((want - have).values())
        self.twice = sum((have - want).values())
        self.replies = 0

    def __str__(self) -> str:
        return (
            f"{self.rate:.0f} lines/s, {self.missing} missing, {self.twice} too many, "
            f"{self.replies} replies"
        )


async def replay(sandbox: Sandbox, events: Sequence[Event]) -> Run:
    agents = frozenset(a.nick for a in sandbox.settings.agents)
    speaker = Speaker(*sandbox.irc, CHANNEL, taken=agents)
    try:
        await speaker.seat(events)
        began_s = time.monotonic()
        spoken = await speaker.tell(events, [0.0] * len(events), lambda _count: None)
        spoken_s = time.monotonic() - began_s
        while rows(sandbox, _COUNT, CHANNEL)[0][0] < spoken.lines:
            if time.monotonic() - began_s > STORED_WITHIN_S:
                break
            await asyncio.sleep(_LOOK_EVERY_S)
        stored_s = time.monotonic() - began_s
        await asyncio.sleep(QUIET_S)
        have = rows(sandbox, _STORED, CHANNEL)
        want = wanted(events, agents)
        run = Run(spoken.lines, spoken_s, stored_s, want, joined(have, want))
        run.replies = sum(1 for sender, _ in have if sender in agents)
        await speaker.leave()
    finally:
        speaker.abort()
    return run


def wanted(events: Sequence[Event], agents: frozenset[str]) -> Counter[tuple[str, str]]:
    """What the log says, under the nicks that the server takes, blanks made one."""
    nicks = Nicks(NICK_LIMIT, agents)
    return Counter(
        (fold(nicks.of(e.nick)), plain(" ".join(e.text.split())))
        for e in events
        if e.kind in _TALK and e.text.strip()
    )


def joined(
    stored: Iterable[tuple[str, str]], want: Counter[tuple[str, str]]
) -> Counter[tuple[str, str]]:
    """What is stored; a line that was too long for IRC and went out in parts is one again."""
    have: Counter[tuple[str, str]] = Counter()
    begun: dict[str, str] = {}
    for sender, text in stored:
        nick, words = fold(sender), " ".join(text.split())
        if (nick, words) not in want and nick in begun:
            words = f"{begun.pop(nick)} {words}"
        if (nick, words) not in want and any(w.startswith(words) for n, w in want if n == nick):
            begun[nick] = words
        else:
            have[nick, words] += 1
    have.update(begun.items())
    return have


def day() -> tuple[Sequence[Event], str]:
    """A real day, or where that is not at hand the shipped conversation, many times over."""
    if DAY.exists():
        return parse(DAY.read_text(encoding="utf-8", errors="replace").split("\n")).events, DAY.name
    skipped("replay", f"{DAY.name} is not beside the project; the shipped conversation instead")
    events = parse(SHIPPED.read_text(encoding="utf-8").split("\n")).events
    copies = [
        replace(e, nick=f"{e.nick}{copy}", other=f"{e.other}{copy}" if e.other else "")
        for copy in range(COPIES)
        for e in events
    ]
    return copies, f"{COPIES} times the shipped conversation"


if __name__ == "__main__":
    asyncio.run(main())
