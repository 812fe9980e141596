"""What `status` shows: the supervisor's own knowledge of each process, with the heartbeats from the
store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.engine import make_url

from bots.supervisor.child import Child
from bots.supervisor.ground import Ground
from bots.supervisor.pss import pss_mb
from storage import agents
from storage.errors import LatchUnreadable, StorageError
from storage.latch import LatchFile
from storage.tables import Heartbeat, HeartbeatTier


class Status:
    def __init__(
        self,
        swarm: str,
        ground: Ground,
        children: Mapping[str, Child],
        file: LatchFile,
        clock: Callable[[], datetime],
        *,
        brains: Mapping[str, str],
    ) -> None:
        """`brains`: agent → what it thinks with."""
        self._swarm = swarm
        self._ground = ground
        self._children = children
        self._file = file
        self._clock = clock
        self._brains = brains

    async def report(self) -> dict[str, Any]:
        """The JSON object of `run.py status --json`; people's tokens only for the sandbox."""
        beats, database = await self._beats()
        page = self._ground.page
        pids = [c.pid for c in self._children.values()]
        sizes = await asyncio.to_thread(lambda: [pss_mb(p) if p else None for p in pids])
        return {
            "swarm": self._swarm,
            "killed": self._killed(),
            "console": page.url if page else None,
            "console_login": page.login if page else None,
            "discord": self._discord(),
            "irc": {"host": self._ground.irc_host, "port": self._ground.irc_port},
            "nats": self._ground.nats_url,
            "database": database,
            "services": [
                {"name": s.program.name, "pid": s.pid, "up": s.up, "restarts": s.restarts}
                for s in self._ground.services
            ],
            "agents": [
                self._agent(child, beats, size)
                for child, size in zip(self._children.values(), sizes, strict=True)
            ],
        }

    def _discord(self) -> dict[str, Any] | None:
        guild = self._ground.guild
        if not guild.tokens:
            return None
        return {
            "api": guild.api or None,
            "gateway": guild.gateway or None,
            "guild": guild.id or None,
            "user_token": guild.users[0].token if guild.users else None,
            "users": [
                {"name": u.name, "token": u.token, "operator": u.operator} for u in guild.users
            ],
        }

    def _agent(
        self, child: Child, beats: Mapping[tuple[str, str], Heartbeat], size: float | None
    ) -> dict[str, Any]:
        return {
            "name": child.name,
            "pid": child.pid,
            "hook_url": child.hook_url,
            "door_url": child.door_url,
            "discord": child.discord,
            "irc": child.nick,
            "brain": self._brains.get(child.name, ""),
            "infra_heartbeat": self._beat(beats.get((child.name, HeartbeatTier.INFRA))),
            "functional_heartbeat": self._beat(beats.get((child.name, HeartbeatTier.FUNCTIONAL))),
            "state": child.state.value,
            "reason": child.reason,
            "pss_mb": size,
        }

    def _beat(self, beat: Heartbeat | None) -> dict[str, Any] | None:
        if beat is None:
            return None
        return {
            "at": beat.at.isoformat(),
            "stale": agents.is_stale(beat, self._clock()),
            "claim": beat.claim,
        }

    async def _beats(self) -> tuple[Mapping[tuple[str, str], Heartbeat], str]:
        name = database_name(self._ground.database_url)
        try:
            async with asyncio.timeout(1), self._ground.store.reading() as unit:
                return await agents.beats(unit), name
        except (StorageError, TimeoutError) as error:
            return {}, f"{name} (not readable: {error or 'no answer within 1 s'})"

    def _killed(self) -> list[dict[str, Any]]:
        try:
            latches = self._file.read()
        except LatchUnreadable as error:
            return [
                {"scope": "all", "by": "nobody", "door": "file", "reason": str(error), "at": None}
            ]
        return [
            {
                "scope": k.scope,
                "by": k.by,
                "door": k.door,
                "reason": k.reason,
                "at": k.changed_at.isoformat(),
            }
            for k in latches.values()
            if k.killed
        ]


def database_name(url: str) -> str:
    """The URL without its password."""
    return make_url(url).render_as_string(hide_password=True)
