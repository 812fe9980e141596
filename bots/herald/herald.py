"""The captain's posts: agent logs, talk between agents, on every network that has their channels.

Each topic in each place has a mark in the store: what was told is not told again, by whatever
process, and what happened while nobody could speak is told afterwards.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from structlog.typing import FilteringBoundLogger

from bots.answering.mouth import Mouth, Unsaid
from bots.herald import composing, spent
from bots.herald.composing import Post
from bots.insist import insist
from bots.messages import DISCORD, Outgoing, Target
from bots.settings import Settings
from bots.transport import Transport, everybody_reads
from brain.errors import Refused
from brain.project import may_be_quoted
from storage import agents, happenings, postings, project_log
from storage.errors import LeaseLost, StorageError
from storage.happenings import Exchange, Last
from storage.latch import Latch
from storage.postings import Mark, Posted
from storage.project_tables import ProjectEntry
from storage.store import Store
from storage.tables import Agent
from storage.unit import Unit

_LOOK_EVERY_S: Final = 3.0
#: a swarm that has just begun is told of once, not agent by agent
_SETTLE_S: Final = 8.0
#: what could not be said is tried again after this long
_AGAIN_S: Final = 30.0


@dataclass(frozen=True)
class Topic:
    """One kind of post in one place."""

    kind: str
    channel: str
    network: str

    @property
    def name(self) -> str:
        return f"{self.kind}:{self.network}"


@dataclass(frozen=True)
class News:
    """What there is to say about a topic, and how far it then is told."""

    post: Post
    mark: Mark


@dataclass(frozen=True)
class Scene:
    """How far the record went when it was looked at, and how everybody was."""

    last: Last
    #: newest line of the project log
    entry: int
    roster: Sequence[Agent]


class Herald:
    """`run` until cancelled, in the captain's process alone."""

    def __init__(
        self,
        store: Store,
        mouth: Mouth,
        epoch: int,
        settings: Settings,
        *,
        latch: Callable[[], Latch | None],
        redact: Callable[[str], str],
        clock: Callable[[], datetime],
        log: FilteringBoundLogger,
        settle_s: float = _SETTLE_S,
    ) -> None:
        self._store = store
        self._mouth = mouth
        self._epoch = epoch
        self._settings = settings
        self._latch = latch
        self._redact = redact
        self._clock = clock
        self._log = log
        self._settle_s = settle_s
        #: how far was looked without finding anything to tell
        self._looked: dict[str, Mark] = {}
        self._not_before: dict[str, datetime] = {}

    async def run(self) -> None:
        """Look every few seconds and tell what is new."""
        if not self._settings.posts.enabled:
            return
        await asyncio.sleep(self._settle_s)
        while True:
            try:
                await self.look()
            except StorageError as error:
                self._log.warning("posts.unreadable", error=str(error))
            await asyncio.sleep(_LOOK_EVERY_S)

    async def look(self) -> None:
        """Tell what is new, in every place that is due. Raises `StorageError`."""
        topics = [t for t in self._topics(self._mouth.transports) if self._is_due(t)]
        if not topics or self._latch() is not None:
            return
        async with self._store.reading() as unit:
            scene = Scene(
                await happenings.last(unit),
                await project_log.newest(unit, self._clock()),
                await agents.roster(unit),
            )
            posted = await postings.read_all(unit, [topic.name for topic in topics])
            found = [
                (topic, await self._news(unit, topic, posted[topic.name], scene))
                for topic in topics
            ]
        for topic, news in found:
            await self._tell(topic, posted[topic.name], news)

    def _is_due(self, topic: Topic) -> bool:
        later = self._not_before.get(topic.name)
        return later is None or self._clock() >= later

    def _topics(self, transports: Mapping[str, Transport]) -> Sequence[Topic]:
        posts = self._settings.posts
        kinds = [("logs", posts.logs), ("between", posts.between_agents)]
        found = []
        for network, transport in transports.items():
            here = {name.lower() for name in transport.health.channels}
            if transport.health.connected:
                # Money is told where operators are asked, and they are asked on Discord.
                asked = [("expenses", self._settings.approvals.channel)]
                told = [*kinds, *(asked if network == DISCORD else [])]
                found += [Topic(k, c, network) for k, c in told if c.lower() in here]
        return found

    async def _tell(self, topic: Topic, posted: Posted, news: News | None) -> None:
        if posted.pending is not None:
            # A process that died had begun it, or this very one could not end it.
            await self._finish(topic, posted.trace_id)
            return
        if news is None:
            return
        if not news.post.text:
            if posted.mark is None:
                # A process that comes after us must know where this swarm began.
                await self._start(topic, news.mark)
            self._looked[topic.name] = news.mark
            return
        due = posted.at is None or self._clock() - posted.at >= self._pause()
        if due or news.post.urgent:
            await self._say(topic, news, posted.mark)

    async def _start(self, topic: Topic, mark: Mark) -> None:
        async with self._store.writing() as unit:
            await postings.start(unit, topic.name, mark, self._clock())

    def _pause(self) -> timedelta:
        return timedelta(seconds=self._settings.posts.every_s)

    async def _say(self, topic: Topic, news: News, after: Mark | None) -> None:
        trace_id, now = secrets.token_hex(8), self._clock()
        async with self._store.writing() as unit:
            if not await postings.begin(unit, topic.name, news.mark, trace_id, now, after=after):
                return
        outgoing = Outgoing(
            target=Target.channel(topic.network, topic.channel),
            text=self._redact(news.post.text),
            # As far from a person as a line can be: no agent answers it.
            hops=self._settings.limits.max_hops,
            trace_id=trace_id,
        )
        try:
            await self._mouth.say(outgoing, epoch=self._epoch, why=f"posts {topic.kind}")
        except (Refused, LeaseLost, StorageError, Unsaid) as error:
            self._log.info("post.unsaid", topic=topic.name, why=str(error))
        await self._finish(topic, trace_id)

    async def _finish(self, topic: Topic, trace_id: str) -> None:
        said = await insist(
            self._store,
            lambda unit: postings.finish(unit, topic.name, trace_id, self._clock()),
            self._log,
        )
        self._looked.pop(topic.name, None)
        if not said:
            self._not_before[topic.name] = self._clock() + timedelta(seconds=_AGAIN_S)

    # --- what is new ------------------------------------------------------------------------------

    async def _news(self, unit: Unit, topic: Topic, posted: Posted, scene: Scene) -> News | None:
        if posted.pending is not None:
            # What was begun comes first.
            return None
        mark = self._looked.get(topic.name, posted.mark)
        match topic.kind:
            case "logs":
                return await self._logs(unit, mark, scene)
            case "between":
                return await self._between(unit, mark, scene)
            case _:
                told = await spent.of_last_month(unit, mark, self._clock())
                return None if told is None else News(*told)

    async def _logs(self, unit: Unit, mark: Mark | None, scene: Scene) -> News | None:
        last, entry = scene.last.audit, scene.entry
        before = mark or {"audit": last, "agents": {}, "entries": entry}
        now = composing.known_of(scene.roster, before["agents"])
        reached = {"audit": last, "agents": now, "entries": entry}
        if mark == reached:
            return None
        decided = await happenings.decisions(unit, before["audit"], last)
        # Marks from before there was a project log have no place in it.
        entries = await project_log.between(unit, before.get("entries", entry), entry)
        own = {f"{t.network}:{t.channel}" for t in self._topics(self._mouth.transports)}
        # That it may not post is no news to post.
        refusals = [
            r for r in decided.refusals if r.target not in own or r.agent != self._mouth.agent
        ]
        post = composing.logs(
            before["agents"],
            now,
            decided.steered,
            refusals,
            decided.warned,
            entries=[(e, self._may_be_quoted(e)) for e in entries],
        )
        return News(post, reached)

    async def _between(self, unit: Unit, mark: Mark | None, scene: Scene) -> News | None:
        if mark == asdict(scene.last):
            return None
        after = Last(**mark) if mark else scene.last
        found = await happenings.exchanges(unit, after, scene.last)
        told = composing.between_agents(found, self._may_be_quoted)
        return News(told, asdict(scene.last))

    def _may_be_quoted(self, one: Exchange | ProjectEntry) -> bool:
        """Where agents' talk is told, more may read than where it was said."""
        return may_be_quoted(one, partial(everybody_reads, self._mouth.transports))
