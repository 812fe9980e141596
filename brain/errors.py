"""Errors of this package.

BrainError
├── Refused
├── LimitReached
│   ├── StepLimitReached
│   ├── TimeLimitReached
│   ├── TokenLimitReached
│   └── CostLimitReached
├── ToolError
│   ├── UnknownTool
│   └── BadArguments
├── ModelFailed                 another model may still answer
│   ├── Passing                 the same model may answer in a moment
│   │   ├── RateLimited
│   │   ├── Overloaded
│   │   ├── Unreachable
│   │   └── CutShort
│   ├── LoginRefused
│   │   └── NoUsableKey
│   ├── NoSuchModel
│   ├── ContextOverflow
│   ├── RequestRefused
│   ├── BadAnswer
│   ├── CircuitOpen
│   ├── AllFailed
│   └── NoMoney
│       ├── OverBudget
│       └── PriceUnknown
├── PromptMissing
└── SoulMissing
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from brain.model import Usage


class BrainError(Exception):
    """Something in the brain could not be done."""


class Refused(BrainError):
    """The guard said no; `reason` is its sentence, `policy` the name of who said it."""

    def __init__(self, reason: str, *, policy: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.policy = policy


class LimitReached(BrainError):
    """The turn may not go on; the answer is what has been found so far."""


class StepLimitReached(LimitReached):
    """The turn used all its steps."""


class TimeLimitReached(LimitReached):
    """The turn used all its time."""


class TokenLimitReached(LimitReached):
    """The turn used all its tokens."""


class CostLimitReached(LimitReached):
    """The turn used all its money."""


class ToolError(BrainError):
    """A tool could not do what it was asked; the sentence goes back to the model."""


class UnknownTool(ToolError):
    """There is no tool of that name."""


class BadArguments(ToolError):
    """The arguments do not fit the tool's schema."""


class ModelFailed(BrainError):
    """The model gave no usable completion; the text is a sentence for people, without secrets."""

    #: what the provider said it had counted when it failed; None: it said nothing
    usage: Usage | None = None
    #: without `usage`: part of an answer was made, so that it is billed as much as it can have cost
    maybe_billed: bool = False


class Passing(ModelFailed):
    """It may go away by itself; `retry_after_s` is what the provider asked for, None if nothing."""

    def __init__(self, sentence: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(sentence)
        self.retry_after_s = retry_after_s


class RateLimited(Passing):
    """Too many requests or tokens (429)."""


class Overloaded(Passing):
    """The provider cannot at the moment (500, 502, 503, 504, 529)."""


class Unreachable(Passing):
    """No connection, or no answer in time."""


class CutShort(Passing):
    """The stream ended in the middle of an answer."""

    maybe_billed = True


class LoginRefused(ModelFailed):
    """The key is missing, wrong, expired or may not do this (401, 403)."""


class NoUsableKey(LoginRefused):
    """This process has no key to ask with: none was given, it cannot be one, or all were refused a
    moment ago. The provider was not asked, so other agents may have better ones.
    """


class NoSuchModel(ModelFailed):
    """The provider does not know the model (404)."""


class ContextOverflow(ModelFailed):
    """The conversation is longer than the model can read."""


class RequestRefused(ModelFailed):
    """The provider says that the request is wrong (400, 413, 422)."""


class BadAnswer(ModelFailed):
    """What came back is no completion: malformed, or empty."""


class CircuitOpen(ModelFailed):
    """The provider failed so often that it is left alone until `until`."""

    def __init__(self, sentence: str, *, until: datetime) -> None:
        super().__init__(sentence)
        self.until = until


class AllFailed(ModelFailed):
    """No model of a chain answered; `failures` says why, in the order in which they were asked."""

    def __init__(self, sentence: str, *, failures: Sequence[ModelFailed]) -> None:
        super().__init__(sentence)
        self.failures = tuple(failures)


class NoMoney(ModelFailed):
    """The call is not made, for it could not be paid."""


class OverBudget(NoMoney):
    """The call could cross a budget."""


class PriceUnknown(NoMoney):
    """Nobody knows what the call would cost."""


class PromptMissing(BrainError):
    """There is no readable prompt of that name, or it asks for something that nobody gives."""


class SoulMissing(BrainError):
    """There is no readable soul file of that name."""
