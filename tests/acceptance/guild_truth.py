"""What the guild's server has, held against what the swarm's store says of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from tests.acceptance.gossip import Asked
from tests.acceptance.guild import Guest, Json
from tests.acceptance.stage import Swarm

_WORD = re.compile(r"\w+word\d+")


async def whole_history(guest: Guest, channel: str) -> list[Json]:
    """Every message that the server has of this channel, oldest first."""
    path = f"/channels/{guest.channel(channel)}/messages?limit=100"
    found: list[Json] = []
    while page := await guest.ask("GET", path + (f"&before={found[-1]['id']}" if found else "")):
        found += page
    return found[::-1]


@dataclass
class Server:
    """What it has of the channels and of the private conversations of some people."""

    agents: tuple[str, ...]
    #: by the channel's name in the record
    channels: dict[str, list[Json]] = field(default_factory=dict)
    private: list[Json] = field(default_factory=list)

    @classmethod
    async def look(
        cls, guests: Collection[Guest], channels: Iterable[str], agents: tuple[str, ...]
    ) -> Server:
        first = next(iter(guests))
        seen = cls(agents, {f"#{c}": await whole_history(first, c) for c in channels})
        for guest in guests:
            for name in [f"@{a}" for a in agents if guest.knows(f"@{a}")]:
                seen.private += await whole_history(guest, name)
        return seen

    def by_agents(self) -> list[Json]:
        """Everything that agents said."""
        everything = [m for lines in self.channels.values() for m in lines] + self.private
        return [m for m in everything if m["author"]["username"] in self.agents]

    def answers(self) -> Counter[tuple[str, str]]:
        """How many messages of an agent answer a message: (agent, id of what is answered)."""
        return Counter(
            (m["author"]["username"], m["message_reference"]["message_id"])
            for m in self.by_agents()
            if m.get("message_reference")
        )

    def words(self, asked: Iterable[Asked]) -> Counter[tuple[str, str]]:
        """How many messages of an agent carry a word that it was asked for."""
        wanted = {(one.agent, one.word) for one in asked}
        return Counter(
            (m["author"]["username"], word)
            for m in self.by_agents()
            for word in set(_WORD.findall(m["content"]))
            if (m["author"]["username"], word) in wanted
        )


def recorded_once(swarm: Swarm, server: Server) -> str:
    """Empty when the record has every line of the server exactly once, else what is wrong."""
    wrong: list[str] = []
    for channel, lines in server.channels.items():
        stored = Counter(
            msgid
            for (msgid,) in swarm.rows(
                "select msgid from message where network = 'discord' and channel = ?", channel
            )
        )
        said = {m["id"]: f"{m['author']['username']}: {m['content'][:50]}" for m in lines}
        twice = [said.get(m, m) for m, count in stored.items() if count > 1]
        wrong += [f"{channel}: twice {line}" for line in twice]
        wrong += [
            f"{channel}: not stored {m} {line}" for m, line in said.items() if m not in stored
        ]
        wrong += [f"{channel}: stored and never said {m}" for m in stored if m not in said]
    return "\n".join(wrong)


@dataclass
class Verdict:
    """What became of what people asked."""

    #: states of the rows, with their number
    states: Counter[str] = field(default_factory=Counter)
    #: one sentence for each question that is not as it should be
    wrong: list[str] = field(default_factory=list)


def answered_once(swarm: Swarm, server: Server, asked: Collection[Asked]) -> Verdict:
    """Every question has one answer at the server; or none, or one, and is shown as `unknown`.

    Questions of one person that waited together are one question, and the answer names the last.
    """
    verdict = Verdict()
    answers = server.answers()
    for (agent, message), count in answers.items():
        if count > 1:
            verdict.wrong.append(f"{agent} answered {message} {count} times")
    for (agent, word), count in server.words(asked).items():
        if count > 1:
            verdict.wrong.append(f"{agent} said {word} {count} times")
    bursts, last = _rows(swarm)
    for one in asked:
        rows = bursts.get((one.agent, one.message), [])
        if len(rows) != 1:
            verdict.wrong.append(f"{len(rows)} rows for {one}")
            continue
        [(state, burst, note)] = rows
        verdict.states[state] += 1
        answer = answers[one.agent, last[burst]]
        if state == "answered" and answer != 1:
            verdict.wrong.append(f"{answer} answers at the server: {one}")
        elif state not in {"answered", "unknown"}:
            verdict.wrong.append(f"{state} ({note}): {one}")
    return verdict


_Burst = tuple[object, ...]
_Rows = dict[tuple[str, str], list[tuple[str, _Burst, str]]]


def _rows(swarm: Swarm) -> tuple[_Rows, dict[_Burst, str]]:
    """(agent, message) → its inbox rows with the burst that each was answered in; and the last
    message of each burst.
    """
    found: _Rows = {}
    last: dict[_Burst, str] = {}
    for agent, msgid, state, note, *burst in swarm.rows(
        "select i.agent, m.msgid, i.state, i.note, i.agent, i.session, m.sender, "
        "coalesce(i.claimed_at, i.id) from inbox i join message m on m.id = i.message_id "
        "order by i.id"
    ):
        key = tuple(burst)
        found.setdefault((agent, msgid), []).append((state, key, note))
        last[key] = msgid
    return found, last
