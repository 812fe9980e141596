"""Errors of this package.

BrainError
├── Refused
├── LimitReached
│   ├── StepLimitReached
│   └── TimeLimitReached
├── ToolError
│   ├── UnknownTool
│   └── BadArguments
├── ModelFailed
└── SoulMissing
"""


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


class ToolError(BrainError):
    """A tool could not do what it was asked; the sentence goes back to the model."""


class UnknownTool(ToolError):
    """There is no tool of that name."""


class BadArguments(ToolError):
    """The arguments do not fit the tool's schema."""


class ModelFailed(BrainError):
    """The model gave no usable completion."""


class SoulMissing(BrainError):
    """There is no readable soul file of that name."""
