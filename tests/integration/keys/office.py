"""A desk for keys over a store, with a clock that tests set and a log that they read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from pydantic import SecretStr
from structlog.typing import FilteringBoundLogger

from bots.keys.desk import KeyDesk
from bots.keys.keystore import Keystore
from bots.keys.master import MasterUnavailable
from bots.keys.sealing import Master
from bots.settings import Settings
from storage.store import Store

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class Log(list[tuple[str, dict[str, Any]]]):
    """What was logged: event and facts."""

    def info(self, event: str, **facts: Any) -> None:
        self.append((event, facts))

    warning = error = info

    def events(self) -> list[str]:
        return [event for event, _ in self]


@dataclass
class Office:
    store: Store
    settings: Settings
    master: Master | None = field(default_factory=Master.new)
    now: datetime = NOON
    log: Log = field(default_factory=Log)
    #: how often somebody wanted the master key from where it is
    asked: int = 0

    def clock(self) -> datetime:
        return self.now

    def later(self, **time: float) -> None:
        self.now += timedelta(**time)

    def source(self) -> Master:
        self.asked += 1
        if self.master is None:
            raise MasterUnavailable("the master key: nobody answers")
        return self.master

    def desk(self) -> KeyDesk:
        """A new one, as after a restart."""
        keystore = Keystore(self.settings.keys, self.source, lambda: self.store, self.clock)
        return KeyDesk(self.settings, keystore, cast("FilteringBoundLogger", self.log))

    async def secrets_for(self, agent: str) -> dict[str, SecretStr]:
        """The senders' secrets that this agent may verify with, by key id."""
        desk = self.desk()
        rows = await desk.keystore.every()
        return await desk.senders.opened(desk.senders.heard_by(agent, rows))


def settings(
    senders: dict[str, Any] | None = None,
    agents: tuple[str, ...] = ("captain", "rook"),
    folder: Path | None = None,
    **keys: Any,
) -> Settings:
    tables = [{"name": name, "role": name} for name in agents]
    raw = {"agents": tables, "hooks": {"senders": senders or {}}, "keys": keys}
    return Settings.model_validate(raw, context={"folder": folder or Path()})
