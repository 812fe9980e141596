"""A model out of its description: the provider, and everything that stands around it.

The modules of providers import heavy SDKs, so each is imported when some agent thinks with it.
"""

from __future__ import annotations

import importlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from brain.errors import PriceUnknown
from brain.guard import Guard
from brain.model import Model
from brain.models.asked import OnlyAsked
from brain.models.breaking import Breaking
from brain.models.chain import Chain
from brain.models.hiding import Discreet
from brain.models.keys import KeyPool
from brain.models.metered import Metered
from brain.models.provider import Kind, ModelSpec, Provider
from brain.models.refreshing import Login, Renewing
from brain.models.retrying import Retrying
from brain.wallet.prices import Prices
from brain.wallet.tariff import FREE
from brain.wallet.wallet import Wallet
from storage.store import Store

_MODULES: Final[dict[Kind, str]] = {
    "anthropic": "brain.models.anthropic",
    "openai": "brain.models.responses",
    "compatible": "brain.models.chat",
    "local": "brain.models.local",
}


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What the models of one agent share."""

    agent: str
    store: Store
    guard: Guard
    wallet: Wallet
    prices: Prices
    login: Login
    #: aware UTC, and monotonic seconds
    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    rng: random.Random
    #: takes those that are made: whoever holds it closes them
    providers: list[Provider]


def chain_of(
    specs: Sequence[tuple[ModelSpec, str]], last: Sequence[Model], around: Surroundings
) -> Chain:
    """The models in the order in which they are asked, each with why its keys cannot be had (empty
    where they can); `last` answers when all of them fail. Raises `ValueError` for a provider that
    cannot be reached as it is described.
    """
    made = [_made(spec, missing, around) for spec, missing in specs]
    models = [OnlyAsked(model) if model.capabilities.is_weak else model for model in made]
    free = {spec.name for spec, _ in specs if _is_free(spec, around)}
    free |= {model.name for model in last}
    return Chain([*models, *last], now=around.now, free=free)


def _made(spec: ModelSpec, missing: str, around: Surroundings) -> Model:
    provider: Provider = importlib.import_module(_MODULES[spec.provider]).connect(spec)
    around.providers.append(provider)
    renewing = Renewing(
        Discreet(provider), around.login, around.store, agent=around.agent, now=around.now
    )
    metered = Metered(
        renewing,
        spec,
        KeyPool(spec, around.now, agent=around.agent, missing=missing),
        around.wallet,
        around.guard,
        monotonic=around.monotonic,
    )
    retrying = Retrying(metered, clock=around.monotonic, rng=around.rng)
    return Breaking(
        retrying, around.store, agent=around.agent, now=around.now, clock=around.monotonic
    )


def _is_free(spec: ModelSpec, around: Surroundings) -> bool:
    if spec.provider not in {"local", "compatible"}:
        return False
    try:
        return around.prices.tariff_of(spec, around.now()) == FREE
    except PriceUnknown:
        return False
