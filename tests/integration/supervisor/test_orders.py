"""The supervisor believes nobody's check but its own: an order carries its evidence with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from bots.control.operators import Operators
from bots.control.signatures import Signed
from bots.supervisor.latching import Latching
from bots.supervisor.orders import Orders
from bots.swarm_settings import OperatorSettings
from storage.latch import LatchFile


@dataclass
class Line:
    """A child's end of the pipe, as far as orders use it."""

    sent: list[dict[str, Any]] = field(default_factory=list)
    restarts: int = 0

    def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    def restart(self) -> None:
        self.restarts += 1


async def _first(_signed: Signed) -> bool:
    return True


def now() -> datetime:
    return datetime.now(UTC)


def orders(folder: Path, child: Line) -> Orders:
    file = LatchFile(folder / "latch.json")
    file.create()
    latching = Latching(
        file,
        SimpleNamespace(store=None),  # type: ignore[arg-type]
        {},
        bus=lambda: SimpleNamespace(publish=lambda *_: None),  # type: ignore[return-value, arg-type]
        clock=now,
        log=structlog.get_logger(),
    )
    allowed = OperatorSettings(irc_accounts=("alice",), discord_users=("77",), discord_roles=("9",))
    return Orders(
        latching,
        {"rook": child},  # type: ignore[dict-item]
        Operators(allowed, "parley", "", now),
        clock=now,
        stop=lambda: None,
        status=dict,
        first_use=_first,
    )


async def asked(folder: Path, **evidence: Any) -> tuple[bool, str, int]:
    """What came of ``restart rook`` with this evidence: obeyed, sentence, restarts."""
    child = Line()
    wish = {"id": 1, "please": "steer", "words": "restart rook", "by": "sam", "door": "discord:#x"}
    await orders(folder, child).asked(child, wish | evidence)  # type: ignore[arg-type]
    [answer] = child.sent
    return answer["ok"], answer["text"], child.restarts


@pytest.mark.parametrize(
    "evidence",
    [
        {"account": "alice"},
        {"discord_user": "77", "discord_roles": []},
        {"account": None, "discord_user": "5", "discord_roles": ["1", "9"]},
    ],
)
async def test_an_operators_order_is_carried_out(tmp_path: Path, evidence: dict[str, Any]) -> None:
    assert await asked(tmp_path, **evidence) == (True, "restarting rook", 1)


@pytest.mark.parametrize(
    "evidence",
    [
        {},
        {"account": "77"},
        {"account": "9", "discord_roles": ["9"]},
        {"discord_user": "alice", "discord_roles": []},
        {"discord_user": "5", "discord_roles": ["77"]},
    ],
)
async def test_anybody_elses_is_refused_whoever_passed_it_on(
    tmp_path: Path, evidence: dict[str, Any]
) -> None:
    obeyed, text, restarts = await asked(tmp_path, **evidence)
    assert (obeyed, restarts) == (False, 0)
    assert "only an operator may do that" in text
