"""The vendors' list prices, as packaged with `genai-prices`.

Heavy (10 MB, 0.1 s), so `brain.wallet.prices` imports this only where a model has no price of its
own. Nothing here looks for newer prices: we build our own snapshot of the packaged data, so that
even an updater that somebody else in the process had started would change nothing.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

from genai_prices.data import providers
from genai_prices.data_snapshot import DataSnapshot
from genai_prices.types import TieredPrices

from brain.wallet.tariff import Rate, Tariff

_PACKAGED: Final = DataSnapshot(providers=providers, from_auto_update=False)


def tariff_of(vendor: str, model: str, at: datetime) -> Tariff | None:
    """The tariff of a vendor's model at a time; None where it is not known to have one.

    `vendor` is an id of `genai-prices` (``anthropic``, ``openai``), `model` the vendor's name. The
    rate of cache writes is the one of the short cache (5 minutes).
    """
    try:
        _, info = _PACKAGED.find_provider_model(model, None, vendor, None)
    except LookupError:
        return None
    prices = info.get_prices(at)
    given, made = _rate(prices.input_mtok), _rate(prices.output_mtok)
    if given is None or made is None:
        return None
    return Tariff(
        input=given,
        output=made,
        cache_read=_rate(prices.cache_read_mtok) or given,
        cache_write=_rate(prices.cache_write_mtok) or given,
    )


def _rate(price: Decimal | TieredPrices | None) -> Rate | None:
    if price is None:
        return None
    if isinstance(price, TieredPrices):
        return Rate(base=price.base, above=tuple((t.start, t.price) for t in price.tiers))
    return Rate(base=price)
