"""Several models as one: the first that answers, and a word to people where it is not the first."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from brain.errors import (
    AllFailed,
    BadAnswer,
    CircuitOpen,
    ContextOverflow,
    CutShort,
    LoginRefused,
    ModelFailed,
    NoSuchModel,
    NoUsableKey,
    OverBudget,
    Overloaded,
    PriceUnknown,
    RateLimited,
    RequestRefused,
    Unreachable,
)
from brain.model import Capabilities, Completion, Conversation, Model, Reader
from brain.models.fitting import fitted
from brain.models.given import Given

#: in a few words, for an answer's footer: a provider's own sentences stay out of it
_IN_SHORT: Final = (
    (RateLimited, "asked too often"),
    (Overloaded, "overloaded"),
    (Unreachable, "unreachable"),
    (CutShort, "cut off"),
    (NoUsableKey, "no usable key"),
    (LoginRefused, "login refused"),
    (NoSuchModel, "unknown to its provider"),
    (ContextOverflow, "conversation too long for it"),
    (RequestRefused, "request refused"),
    (BadAnswer, "unusable answer"),
    (OverBudget, "over budget"),
    (PriceUnknown, "price unknown"),
)


@dataclass(frozen=True, kw_only=True)
class Failed:
    """Why one model of the chain was passed over."""

    model: str
    label: str
    #: a few words, such as ``overloaded``
    short: str
    #: the failure's own sentence
    sentence: str


@dataclass(frozen=True, kw_only=True)
class ChainState:
    """How the last query went: what `/status` shows."""

    #: name and label of the model that answered; of the first one before anybody asked; empty when
    #: all failed
    in_use: str
    label: str
    #: why not those before it
    failed: tuple[Failed, ...] = ()
    #: when that was; None: nobody has asked yet
    at: datetime | None = None

    @property
    def is_first(self) -> bool:
        return not self.failed


class Chain:
    """`models` in the order of preference; at least one. `now` reads aware UTC.

    After any `ModelFailed` the next one is asked, what a reader was given is void, and the
    completion's notes name who failed. A refusal by the guard and a cancellation pass: they are not
    about the model. Once a call would cross a budget only those of `free` (names) are asked.
    """

    def __init__(
        self,
        models: Sequence[Model],
        *,
        now: Callable[[], datetime],
        free: Collection[str] = (),
    ) -> None:
        if not models:
            raise ValueError("a chain needs a model")
        self._models = tuple(models)
        self._now = now
        self._free = frozenset(free)
        first = self._models[0]
        self._state = ChainState(in_use=first.name, label=first.label)

    @property
    def name(self) -> str:
        """Of the first model, as are label and capabilities: what a conversation is made for."""
        return self._models[0].name

    @property
    def label(self) -> str:
        return self._models[0].label

    @property
    def capabilities(self) -> Capabilities:
        return self._models[0].capabilities

    def state(self) -> ChainState:
        """How the last query went, of whichever session."""
        return self._state

    async def query(self, conversation: Conversation, reader: Reader | None = None) -> Completion:
        """Raises `AllFailed`, or `ContextOverflow` where one of them could read less: who asks may
        make it shorter. Where the chain has one model only, its failure as it is.
        """
        given = Given(reader)
        failed: list[Failed] = []
        failures: list[ModelFailed] = []
        for model in self._models:
            if _is_too_dear(failures) and model.name not in self._free:
                continue
            given.again()
            try:
                completion = await model.query(
                    fitted(conversation, model.capabilities), given.reader
                )
            except ModelFailed as failure:
                failures.append(failure)
                failed.append(_failed(model, failure))
            else:
                return self._answered(model, completion, failed)
        self._state = ChainState(in_use="", label="", failed=tuple(failed), at=self._now())
        if len(self._models) == 1:
            raise failures[0]
        if any(isinstance(failure, ContextOverflow) for failure in failures):
            raise ContextOverflow(_all_failed(failed)) from failures[-1]
        raise AllFailed(_all_failed(failed), failures=failures) from failures[-1]

    def _answered(
        self, model: Model, completion: Completion, failed: Sequence[Failed]
    ) -> Completion:
        name, label = completion.model or model.name, completion.label or model.label
        self._state = ChainState(in_use=name, label=label, failed=tuple(failed), at=self._now())
        if not failed:
            return completion
        notes = tuple(
            f"{one.label} did not answer ({one.short}); {label} answered instead." for one in failed
        )
        return dataclasses.replace(
            completion, model=name, label=label, notes=(*notes, *completion.notes)
        )


def _is_too_dear(failures: Iterable[ModelFailed]) -> bool:
    """An unknown price is one model's own trouble; a budget is everybody's."""
    return any(isinstance(failure, OverBudget) for failure in failures)


def _failed(model: Model, failure: ModelFailed) -> Failed:
    return Failed(
        model=model.name, label=model.label, short=in_short(failure), sentence=str(failure)
    )


def in_short(failure: ModelFailed) -> str:
    """A failure in a few words, without anything that came from outside."""
    if isinstance(failure, CircuitOpen):
        return f"left alone until {failure.until:%H:%M:%S} UTC after failures"
    return next((words for kind, words in _IN_SHORT if isinstance(failure, kind)), "failed")


def _all_failed(failed: Iterable[Failed]) -> str:
    return f"No model answered: {', '.join(f'{one.label} ({one.short})' for one in failed)}."
