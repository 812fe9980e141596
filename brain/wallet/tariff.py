"""What a model's tokens cost, and so what a call does. Pure: exact decimals in, whole nusd out.

A nusd is a billionth of a US dollar. A call's cost is rounded up to the next one, once, at the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal
from typing import Final

from brain.model import Usage

#: nusd in a dollar
NUSD: Final = 10**9
#: a price is for so many tokens
_TOKENS: Final = 10**6
#: more digits than any price times any number of tokens has: nothing is rounded on the way
_EXACT: Final = Context(prec=100)


@dataclass(frozen=True, kw_only=True)
class Rate:
    """US dollars for a million tokens of one kind."""

    base: Decimal
    #: (more than so many input tokens in the call, the rate of all its tokens then), ascending
    above: tuple[tuple[int, Decimal], ...] = ()

    def at(self, input_tokens: int) -> Decimal:
        """The rate in a call with so many input tokens of all kinds."""
        passed = [usd for start, usd in self.above if input_tokens > start]
        return passed[-1] if passed else self.base

    def at_most(self, input_tokens: int) -> Decimal:
        """The dearest rate in calls with up to so many input tokens."""
        return max([self.base, *(usd for start, usd in self.above if input_tokens > start)])


@dataclass(frozen=True, kw_only=True)
class Tariff:
    """Rates of the four kinds of tokens that `Usage` counts."""

    input: Rate
    output: Rate
    cache_read: Rate
    cache_write: Rate

    @property
    def is_free(self) -> bool:
        kinds = (self.input, self.output, self.cache_read, self.cache_write)
        return not any(usd for kind in kinds for usd in (kind.base, *(u for _, u in kind.above)))

    def cost_nusd(self, usage: Usage) -> int:
        """What a call with this usage costs."""
        total = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
        return _nusd(
            (self.input.at(total), usage.input_tokens),
            (self.cache_read.at(total), usage.cache_read_tokens),
            (self.cache_write.at(total), usage.cache_write_tokens),
            (self.output.at(total), usage.output_tokens),
        )

    def most_nusd(self, input_tokens: int, output_tokens: int) -> int:
        """What a call costs at most whose input (cached or not) and output are at most these."""
        kinds = (self.input, self.cache_read, self.cache_write)
        dearest = max(kind.at_most(input_tokens) for kind in kinds)
        return _nusd((dearest, input_tokens), (self.output.at_most(input_tokens), output_tokens))


def flat(
    usd_input: Decimal,
    usd_output: Decimal,
    usd_cache_read: Decimal | None = None,
    usd_cache_write: Decimal | None = None,
) -> Tariff:
    """A tariff without steps; what a cache gives or takes costs as input unless given."""
    return Tariff(
        input=Rate(base=usd_input),
        output=Rate(base=usd_output),
        cache_read=Rate(base=usd_input if usd_cache_read is None else usd_cache_read),
        cache_write=Rate(base=usd_input if usd_cache_write is None else usd_cache_write),
    )


#: what runs on this machine costs no money
FREE: Final = flat(Decimal(0), Decimal(0))


def _nusd(*kinds: tuple[Decimal, int]) -> int:
    """Dollars a million tokens, times tokens, in nusd."""
    usd = Decimal(0)
    for rate, tokens in kinds:
        usd = _EXACT.add(usd, _EXACT.multiply(rate, Decimal(tokens)))
    nusd = _EXACT.multiply(usd, Decimal(NUSD // _TOKENS))
    return int(nusd.to_integral_value(ROUND_CEILING, _EXACT))
