"""Which tariff a configured model has: its own, the vendor's list price, or none at all."""

from __future__ import annotations

import importlib
import ipaddress
from datetime import datetime
from typing import cast
from urllib.parse import urlsplit

from brain.errors import PriceUnknown
from brain.models.provider import ModelSpec
from brain.wallet.tariff import FREE, Tariff, flat


class Prices:
    """Tariffs by model."""

    def tariff_of(self, spec: ModelSpec, at: datetime) -> Tariff:
        """What `spec` costs at a time; raises `PriceUnknown`.

        A price in its settings goes before everything. A model that runs on this machine costs
        nothing: `local`, and `compatible` behind a loopback address. Anthropic's and OpenAI's own
        have list prices, wherever `base_url` sends them.
        """
        if spec.price is not None:
            price = spec.price
            return flat(price.input, price.output, price.cache_read, price.cache_write)
        if spec.provider == "local" or (spec.provider == "compatible" and on_loopback(spec)):
            return FREE
        known = None if spec.provider == "compatible" else _listed(spec, at)
        if known is None:
            raise PriceUnknown(_how_to_mend(spec))
        return known


def on_loopback(spec: ModelSpec) -> bool:
    """The model's server is on this machine, by its address."""
    try:
        host = urlsplit(spec.base_url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _listed(spec: ModelSpec, at: datetime) -> Tariff | None:
    known_prices = importlib.import_module("brain.wallet.known_prices")
    return cast("Tariff | None", known_prices.tariff_of(spec.provider, spec.model, at))


def _how_to_mend(spec: ModelSpec) -> str:
    return (
        f"Nobody knows what {spec.name} ({spec.model}) costs, so it is not asked: give 'input' and "
        f"'output', US dollars for a million tokens, under [models.{spec.name}.price] in swarm.toml"
    )
