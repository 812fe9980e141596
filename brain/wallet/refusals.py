"""Why a call is not made, in sentences. Pure."""

from __future__ import annotations

from datetime import timedelta

from brain.errors import RateLimited
from brain.models.provider import ModelSpec
from brain.wallet.budgets import Budget, usd
from storage.spending import Crossing


def crossing(budget: Budget, found: Crossing, *, costs_nusd: int) -> str:
    spent = f"{usd(found.spent.settled_nusd)} USD are spent"
    if found.spent.reserved_nusd:
        spent += f", {usd(found.spent.reserved_nusd)} set aside for calls under way"
    return (
        f"The budget is {budget.words}: {spent}, and this call could cost {usd(costs_nusd)}, "
        "so it is not made"
    )


def busy(spec: ModelSpec, wait: timedelta) -> RateLimited:
    sentence = (
        f"Every key of {spec.name} has had its {spec.requests_per_minute} requests of this minute"
    )
    return RateLimited(sentence, retry_after_s=max(wait.total_seconds(), 0.0))
