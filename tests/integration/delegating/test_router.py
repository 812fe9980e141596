"""What the router knows of the agents, from swarm.toml and the store."""

from __future__ import annotations

from bots.clock import utc_now
from bots.delegating.router import Router
from bots.settings import Settings
from storage import agents, spending
from storage.spending import Bill, Call, KeyLimit
from storage.store import Store
from storage.tables import AgentState
from storage.unit import Unit

_CENT = 10_000_000
SETTINGS = Settings.model_validate(
    {
        "models": {
            "paid": {
                "provider": "anthropic",
                "model": "some",
                "keys": ["env:KEY"],
                "price": {"input": 1, "output": 1},
            }
        },
        "budget": {"usd_per_day": 1},
        "agents": [
            {"name": "rich", "role": "clerk", "capabilities": ["summarise"], "brain": "paid"},
            {
                "name": "poor",
                "role": "clerk",
                "capabilities": ["summarise"],
                "brain": "paid",
                "budget": {"usd_per_day": 0.1},
            },
            {"name": "free", "role": "clerk", "capabilities": ["verify"]},
        ],
    }
)
NAMES = [agent.name for agent in SETTINGS.agents]


async def test_who_has_spent_its_budget_comes_behind_who_has_not(store: Store) -> None:
    async def lived(unit: Unit) -> None:
        for name in NAMES:
            await agents.enrol(unit, name, "clerk", utc_now())
            epoch = await agents.take(unit, name, "test", now=utc_now(), ttl_s=3600)
            await agents.report(unit, name, epoch, now=utc_now(), state=AgentState.READY)
        call = Call(
            agent="poor",
            model="paid",
            provider_model="some",
            session="s",
            task="t",
            reserved_nusd=10 * _CENT,
            at=utc_now(),
            epoch=1,
            trace_id="t",
        )
        taken = await spending.reserve(unit, call, [], [KeyLimit(name="")])
        assert isinstance(taken, spending.Reserved)
        bill = Bill(nusd=10 * _CENT, input_tokens=1, output_tokens=1)
        await spending.settle(unit, taken.id, bill, now=utc_now())

    await store.write(lived)
    router = Router(SETTINGS, store, list, lambda _: {}, utc_now)
    ranked = await router.rank("summarise this", NAMES)
    assert [r.agent for r in ranked] == ["rich", "free", "poor"]
    assert "0% of its budget is left" in str(ranked[-1])


async def test_who_was_never_started_is_down(store: Store) -> None:
    ranked = await Router(SETTINGS, store, list, lambda _: {}, utc_now).rank("verify", NAMES)
    assert all(r.down == "is unknown" for r in ranked)
