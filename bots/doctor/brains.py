"""Looks at the models that agents think with: keys, servers, prices, budgets, fallbacks.

Servers named by `base_url` are asked for their list of models, which costs nothing. Vendors are
asked only on demand (``doctor --online``).
"""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from decimal import Decimal

from bots.agent.brains import described
from bots.brain_settings import OFFLINE
from bots.doctor.finding import Finding, fail, ok, warn
from bots.doctor.missing import how_to_give
from bots.doctor.model_servers import Listed, NoServer, address, address_hint, listed
from bots.local_model import packages
from bots.secrets import resolve_each
from bots.settings import Settings
from bots.supervisor.brains import models_in_use
from bots.swarm_settings import AgentSettings
from brain.errors import PriceUnknown
from brain.models.capabilities import capabilities_of
from brain.models.provider import ModelSpec
from brain.wallet.budgets import budgets_of, nusd_of, usd
from brain.wallet.prices import Prices
from brain.wallet.tariff import Tariff

_ABOUT = "brains"
#: what a short question reserves: an estimate, on the safe side, of prompt, history and tools
_SHORT_REQUEST_TOKENS = 8_000


async def brains(settings: Settings, now: datetime, *, online: bool) -> AsyncIterator[Finding]:
    """What is wrong with each model, agent and budget; models without trouble in one line each."""
    used = models_in_use(settings)
    keys, missing = _keys(settings)
    specs = {name: described(name, model, keys) for name, model in used.items()}
    if not specs:
        yield ok(_ABOUT, "offline: no agent thinks with a language model")
    tariffs: dict[str, Tariff] = {}
    for name, spec in specs.items():
        troubles = [
            fail(_ABOUT, f"models.{name}.keys: {missing[k]}", how_to_give(k))
            for k in used[name].keys
            if k in missing
        ]
        try:
            tariffs[name] = Prices().tariff_of(spec, now)
        except PriceUnknown as error:
            mend = f"[models.{name}]: price = {{ input = 0.6, output = 0.8 }}; 0 is a price"
            troubles.append(fail(_ABOUT, str(error), mend))
        troubles += [*_packages(spec), *_context(spec)]
        found = await _servers(spec, online=online)
        for finding in [*troubles, *found] or [
            ok(_ABOUT, _fine(spec, tariffs[name], online=online))
        ]:
            yield finding
    for name in sorted(settings.models.keys() - used.keys()):
        yield ok(_ABOUT, f"{name}: no agent thinks with it")
    for finding in (*_chains(settings, tariffs), *_budgets(settings, specs, tariffs)):
        yield finding


def _keys(settings: Settings) -> tuple[dict[str, str], dict[str, str]]:
    """By reference: the keys of models in use, and why others cannot be had."""
    used = models_in_use(settings).values()
    return resolve_each(key for model in used for key in model.keys)


def _packages(spec: ModelSpec) -> Iterator[Finding]:
    lacking = packages.missing() if spec.provider == "local" else []
    if lacking:
        mend = f"`python3 run.py up` installs it, or by hand: {packages.INSTALL}"
        yield fail(_ABOUT, f"{spec.name}: {' and '.join(lacking)} not installed", mend)


def _context(spec: ModelSpec) -> Iterator[Finding]:
    if spec.provider == "compatible" and spec.context_tokens is None:
        assumed = capabilities_of(spec).context_tokens
        yield warn(
            _ABOUT,
            f"{spec.name}: how much it reads is not known; {assumed:,} tokens are assumed",
            f"say what its server was started with: models.{spec.name}.context_tokens",
        )


async def _servers(spec: ModelSpec, *, online: bool) -> list[Finding]:
    """What its server says to each key, where it may be asked."""
    asked = spec.provider != "local" and (spec.base_url or (online and spec.keys))
    if not asked:
        return []
    keys = spec.keys or (None,)
    answers = await asyncio.gather(*(listed(spec, k) for k in keys), return_exceptions=True)
    found: list[Finding] = []
    for key, answer in zip(keys, answers, strict=True):
        if isinstance(answer, NoServer):
            where = address(spec).partition("?")[0]
            mend = f"start it, or correct models.{spec.name}.base_url"
            return [fail(_ABOUT, f"{spec.name}: nobody answers at {where}: {answer}", mend)]
        if isinstance(answer, BaseException):
            raise answer
        found += _said(spec, key.name if key else "", answer)
    return list(dict.fromkeys(found))


def _said(spec: ModelSpec, key: str, answer: Listed) -> Iterator[Finding]:
    if answer.status in {401, 403}:
        says = f"its server refuses the key {key}" if key else "its server wants a key"
        yield fail(_ABOUT, f"{spec.name}: {says} ({answer.status})", "make a new key and set it")
    elif answer.models is None:
        yield fail(
            _ABOUT,
            f"{spec.name}: {address(spec)} is no list of models (status {answer.status})",
            address_hint(spec, answer.status),
        )
    elif not answer.knows(spec.model) and not answer.takes_any_name:
        near = difflib.get_close_matches(spec.model, list(answer.models), 3, 0.0)
        yield fail(
            _ABOUT,
            f"{spec.name}: its server has no model {spec.model!r}",
            f"load it there, or name one that it has: {', '.join(near) or 'it has none'}",
        )
    else:
        yield from _size(spec, answer)


def _size(spec: ModelSpec, answer: Listed) -> Iterator[Finding]:
    """The server cuts off, or refuses, what is longer than it says."""
    sizes = [size for size in (answer.models or {}).values() if size]
    told = (answer.models or {}).get(spec.model) or (sizes[0] if answer.takes_any_name else None)
    if told and spec.context_tokens and spec.context_tokens > told:
        yield fail(
            _ABOUT,
            f"{spec.name}: context_tokens is {spec.context_tokens:,}, its server reads {told:,}",
            f"models.{spec.name}.context_tokens = {told}",
        )


def _fine(spec: ModelSpec, tariff: Tariff, *, online: bool) -> str:
    can = capabilities_of(spec)
    cost = "free"
    if not tariff.is_free:
        cost = f"{tariff.input.base} and {tariff.output.base} USD a million tokens in and out"
    words = [spec.model, cost, f"reads {can.context_tokens:,} tokens"]
    if can.is_weak:
        words.append("weak: it takes no decisions and gets no tools")
    if spec.keys and not spec.base_url and not online:
        words.append("the vendor was not asked (`doctor --online` does)")
    return f"{spec.name}: {', '.join(words)}"


def _chains(settings: Settings, tariffs: dict[str, Tariff]) -> Iterator[Finding]:
    """Somebody answers even when keys expire and money runs out."""
    stranded = [agent.name for agent in settings.agents if _is_stranded(agent, tariffs)]
    if stranded:
        yield warn(
            _ABOUT,
            f"{', '.join(stranded)}: nobody answers when the money or the key is gone",
            f'end the fallback with what costs nothing: fallback = ["{OFFLINE}"]',
        )


def _is_stranded(agent: AgentSettings, tariffs: dict[str, Tariff]) -> bool:
    return not any(
        name == OFFLINE or (name in tariffs and tariffs[name].is_free) for name in agent.brains
    )


def _budgets(
    settings: Settings, specs: dict[str, ModelSpec], tariffs: dict[str, Tariff]
) -> Iterator[Finding]:
    for agent in settings.agents:
        costs = {
            _short_nusd(specs[name], tariffs[name]): name
            for name in agent.brains
            if name in tariffs and not tariffs[name].is_free
        }
        if costs:
            yield from _affordable(agent, settings, costs)
            yield from _contradiction(agent, settings)


def _affordable(
    agent: AgentSettings, settings: Settings, costs: dict[int, str]
) -> Iterator[Finding]:
    """There is a limit, and it lets a short question through; `costs` is nusd → model."""
    limits = budgets_of(agent.name, agent.budget, settings.budget)
    cost_nusd = min(costs)
    if not limits:
        mend = f"agents.{agent.name}.budget.usd_per_day, or budget.usd_per_day for all"
        yield warn(_ABOUT, f"{agent.name} may spend without limit", mend)
        return
    least = min(limits, key=lambda limit: limit.nusd)
    if least.nusd < cost_nusd:
        yield warn(
            _ABOUT,
            f"{agent.name} never asks {costs[cost_nusd]}: a short question may cost "
            f"{usd(cost_nusd)} USD, and {least.words} is allowed",
            "raise that budget, or lower the model's max_output_tokens",
        )


def _short_nusd(spec: ModelSpec, tariff: Tariff) -> int:
    return tariff.most_nusd(_SHORT_REQUEST_TOKENS, spec.max_output_tokens)


def _contradiction(agent: AgentSettings, settings: Settings) -> Iterator[Finding]:
    own, all_of_them = agent.budget.usd_per_day, settings.budget.usd_per_day
    # The default of an agent contradicts nobody.
    said = "usd_per_day" in agent.budget.model_fields_set
    if said and own is not None and all_of_them is not None and own > all_of_them:
        yield warn(
            _ABOUT,
            f"{agent.name} may spend {_dollars(own)} USD a day, the whole swarm only "
            f"{_dollars(all_of_them)}",
            f"the smaller one holds: raise budget.usd_per_day or lower agents.{agent.name}.budget",
        )


def _dollars(amount: Decimal) -> str:
    return usd(nusd_of(amount))
