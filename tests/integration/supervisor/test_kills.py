"""A kill that an agent does not confirm: forced after its time, or as soon as a person says so."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from bots.control.door import BadRequest
from bots.control.operators import Operators
from bots.supervisor.kills import FORCE_AFTER_S
from bots.supervisor.latching import Latching
from bots.supervisor.orders import Orders
from bots.swarm_settings import OperatorSettings
from storage.latch import LatchFile


@dataclass
class Mute:
    """A child that says nothing, whatever it is told, and dies of SIGKILL like any process."""

    name: str
    pid: int = 7
    sent: list[dict[str, Any]] = field(default_factory=list)
    died: asyncio.Event = field(default_factory=asyncio.Event)

    def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    def kill(self, *, expected: bool = False) -> None:
        assert expected
        self.died.set()


async def orders(folder: Path, *children: Mute) -> tuple[Orders, Latching]:
    file = LatchFile(folder / "latch.json")
    file.create()
    named: Any = {child.name: child for child in children}
    latching = Latching(
        file,
        SimpleNamespace(store=None),  # type: ignore[arg-type]
        named,
        bus=lambda: None,
        clock=lambda: datetime.now(UTC),
        log=structlog.get_logger(),
    )
    made = Orders(
        latching,
        named,
        Operators(OperatorSettings(), "parley", "", lambda: datetime.now(UTC)),
        clock=lambda: datetime.now(UTC),
        stop=lambda: None,
        status=dict,
        first_use=lambda _: asyncio.sleep(0, True),
    )
    return made, latching


async def test_a_person_need_not_wait_for_who_does_not_confirm(tmp_path: Path) -> None:
    rook, bishop = Mute("rook"), Mute("bishop")
    made, latching = await orders(tmp_path, rook, bishop)
    kill = made.routes()["POST", "/control/kill"]

    async def buries(child: Mute) -> None:
        await child.died.wait()
        latching.confirm(child)  # type: ignore[arg-type]

    async def all_of_them() -> dict[str, Any]:
        return await kill({"scope": "all", "by": "you"})

    async with asyncio.timeout(FORCE_AFTER_S / 2), asyncio.TaskGroup() as work:
        burying = work.create_task(buries(rook))
        everybody = work.create_task(all_of_them())
        await asyncio.sleep(0)
        alone = await kill({"scope": "rook", "by": "you", "force": True})
        await burying
        assert not everybody.done()
        latching.confirm(bishop)  # type: ignore[arg-type]
    assert (alone["forced"], everybody.result()["forced"]) == (["rook"], ["rook"])
    assert set(everybody.result()["confirmed_ms"]) == {"rook", "bishop"}
    assert not bishop.died.is_set()
    assert latching.file.killed("rook") is not None


async def test_force_is_a_word_that_must_be_meant(tmp_path: Path) -> None:
    made, latching = await orders(tmp_path)
    with pytest.raises(BadRequest, match="force"):
        await made.routes()["POST", "/control/kill"]({"scope": "all", "force": "no"})
    assert latching.file.killed("all") is None
