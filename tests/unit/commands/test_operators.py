"""Each kind of evidence counts on its own network only."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bots.control.operators import Evidence, NotAnOperator, Operators
from bots.swarm_settings import OperatorSettings

OPERATORS = Operators(
    OperatorSettings(irc_accounts=("alice", "45"), discord_users=("77",), discord_roles=("9",)),
    "parley",
    "",
    lambda: datetime(2026, 11, 20, tzinfo=UTC),
)


@pytest.mark.parametrize(
    ("evidence", "by"),
    [
        (Evidence.of("irc", "Alice"), "account:Alice"),
        (Evidence.of("discord", "77"), "discord:user:77"),
        (Evidence.of("discord", "5", roles=("1", "9")), "discord:role:9"),
    ],
)
def test_who_may_steer(evidence: Evidence, by: str) -> None:
    assert OPERATORS.vouch(evidence) == by


@pytest.mark.parametrize(
    "evidence",
    [
        Evidence.of("irc", "77"),
        Evidence.of("irc", "9"),
        Evidence.of("irc", None, roles=("9",)),
        Evidence.of("discord", "45"),
        Evidence.of("discord", "alice"),
        Evidence.of("discord", None, roles=("9",)),
        Evidence.of("discord", "5", roles=("77", "5")),
        Evidence(),
    ],
)
def test_who_may_not(evidence: Evidence) -> None:
    with pytest.raises(NotAnOperator, match="only an operator"):
        OPERATORS.vouch(evidence)
