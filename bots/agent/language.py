"""A mind that thinks with language models: their chain, their money, their prompts, their tools."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from bots.agent.brains import ends_offline, missing_keys, models_of
from bots.agent.mcp import servers_of
from bots.agent.mind import Body, Mind, offline
from bots.agent.renewal import Supervised
from bots.agent.telling import Telling
from bots.answering.prompted import PromptedOpenings
from bots.clock import utc_now
from brain.compaction import Compactor
from brain.model import Model
from brain.models.asked import OnlyAsked
from brain.models.chain import Chain, ChainState
from brain.models.making import Surroundings, chain_of
from brain.models.plainly import Plainly
from brain.models.provider import Provider
from brain.prompting.assembling import Assembler
from brain.prompting.fencing import Fence
from brain.prompting.minuting import Minuting
from brain.prompting.summarising import Summariser
from brain.prompting.templates import Templates
from brain.tools.catalogue import of_groups
from brain.tools.registry import AnyTool
from brain.wallet.budgets import NearlySpent, budgets_of
from brain.wallet.prices import Prices
from brain.wallet.wallet import Wallet

#: so long a model that did not answer is told of
_NEWS: Final = timedelta(minutes=10)


def mind_of(body: Body) -> Mind:
    """Raises `SoulMissing`, and `ValueError` for a model that cannot be reached as described."""
    spec = body.spec
    redact = body.redactor.redact
    wallet = _wallet(body)
    providers: list[Provider] = []
    model = _chain(body, wallet, providers)
    assembler = Assembler(Templates(spec.prompts_folder), Fence(secrets.token_bytes(32)), redact)
    minuting = None if model.capabilities.is_weak else Minuting(spec.name, model, assembler)
    summariser = None if model.capabilities.is_weak else Summariser(spec.name, model, assembler)
    servers = servers_of(spec, body.guard, body.log)
    openings = PromptedOpenings(
        agent=spec.name,
        settings=spec.settings,
        store=body.store,
        soul=body.cards.soul_of(spec.name),
        cards=body.cards,
        roster=body.roster,
        assembler=assembler,
        capabilities=model.capabilities,
        clock=utc_now,
    )

    ours = of_groups(spec.agent.tools)

    async def tools() -> Sequence[AnyTool]:
        return (*ours, *(await servers.tools())) if servers else ours

    async def recover() -> None:
        if servers is not None:
            servers.start()
        await wallet.recover(spec.name)

    def trouble() -> str:
        told = (_trouble(model.state()), servers.trouble if servers else "")
        return "; ".join(filter(None, told))

    async def close() -> None:
        if servers is not None:
            await servers.close()
        await asyncio.gather(*(provider.close() for provider in providers))
        await wallet.close()

    return Mind(
        model=model,
        openings=openings,
        compactor=Compactor(spec.name, body.store, summariser, redact, utc_now),
        fence=assembler.found,
        tools=tools,
        recover=recover,
        hush=servers.kill if servers else lambda: None,
        close=close,
        state=lambda: _told(model.state()),
        trouble=trouble,
        minutes=minuting,
        # A model whose judgement is weak is not let loose by itself.
        looks=None if model.capabilities.is_weak else openings,
    )


def _chain(body: Body, wallet: Wallet, providers: list[Provider]) -> Chain:
    spec = body.spec
    last: list[Model] = [OnlyAsked(Plainly(offline(body)))] if ends_offline(spec) else []
    around = Surroundings(
        agent=spec.name,
        store=body.store,
        guard=body.guard,
        wallet=wallet,
        prices=Prices(),
        login=Supervised(body.ask, body.redactor.add),
        now=utc_now,
        monotonic=time.monotonic,
        rng=random.Random(),
        providers=providers,
    )
    specs = [(one, missing_keys(spec, one)) for one in models_of(spec)]
    return chain_of(specs, last, around)


def _wallet(body: Body) -> Wallet:
    spec = body.spec

    tell = Telling(body.store, spec.name, body.log)

    def warn(nearly: NearlySpent) -> None:
        tell("spend", f"budget:{nearly.budget.window}", nearly.sentence)

    return Wallet(
        body.store,
        budgets_of(spec.name, spec.agent.budget, spec.settings.budget),
        Prices(),
        clock=utc_now,
        epoch=spec.epoch,
        log=body.log,
        warn=warn,
    )


def _told(state: ChainState) -> str:
    failed = ", ".join(f"{one.model} ({one.short})" for one in state.failed)
    if not state.in_use:
        return f"no model answered: {failed}"
    return f"{state.in_use}" + (f", for {failed} did not answer" if failed else "")


def _trouble(state: ChainState) -> str:
    """Old news is none: nobody may have asked since, and the model may be well again."""
    if state.is_first or state.at is None or utc_now() - state.at > _NEWS:
        return ""
    return f"thinks with {_told(state)}" if state.in_use else _told(state)
