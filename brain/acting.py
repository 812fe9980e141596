"""The second half of a step: what the model asked for is weighed, run and told.

Calls that only read run together; a call that writes or sends runs alone, after what stands before
it and before what comes behind it. Results are told in the order of the calls.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from brain.errors import BadArguments, Refused, ToolError
from brain.guard import Guard, Refusal
from brain.model import Message, Role, ToolCall
from brain.prompting.fencing import defused
from brain.tools.registry import Effects, Toolbox, ToolResult, target_of
from storage.acts import Act, Permit
from storage.errors import PermitRefused
from storage.text import storable

T = TypeVar("T")

#: calls of one step that are looked at; a model that wants more has lost its way
MOST_CALLS = 16
#: characters of one error's sentence
_LONGEST_ERROR = 2_000
#: the least that a result may fill, however many there are
_LEAST_RESULT = 1_000
#: marks text as data from outside: source, text → fenced text
Fence = Callable[[str, str], str]
#: hides secrets in a text
Clean = Callable[[str], str]


def unfenced(_source: str, text: str) -> str:
    """The text as it is."""
    return text


def as_it_is(text: str) -> str:
    return text


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Why tools are called: what the guard and the audit are told."""

    agent: str
    reason: str
    trace_id: str


@dataclass
class Found:
    """What tools have found in a turn, also when the turn is ended in the middle of a step. People
    may be shown it: there are no secrets in it.
    """

    #: by step and call
    texts: dict[tuple[int, int], str] = field(default_factory=dict)
    #: recorded lines, in order of use, without repeats
    evidence: dict[int, None] = field(default_factory=dict)

    def in_order(self) -> list[str]:
        return [self.texts[place] for place in sorted(self.texts)]


class Acting:
    """Runs the tool calls of one turn. `budget` is what the results of one step may fill together
    and `most` what one of them may, in characters.
    """

    def __init__(
        self,
        toolbox: Toolbox,
        guard: Guard,
        *,
        budget: int,
        most: int,
        fence: Fence = unfenced,
        clean: Clean = as_it_is,
    ) -> None:
        self._toolbox = toolbox
        self._guard = guard
        self._budget = budget
        self._most = most
        self._fence = fence
        self._clean = clean
        self._step = 0
        self.found = Found()

    async def act(self, cause: Cause, calls: Sequence[ToolCall]) -> list[Message]:
        """One message a call, in order. Raises `Refused` when the guard ends the turn, before
        anything has run, and `StorageError`. Cancelling it cancels every tool that is at work.
        """
        self._step += 1
        weighed = await self._weigh(cause, calls)
        told: list[Message] = []
        for batch in batches([self._effects(call) for call in calls]):
            told += await together(self._told(calls[i], weighed[i], i, len(calls)) for i in batch)
        return told

    async def _weigh(
        self, cause: Cause, calls: Sequence[ToolCall]
    ) -> list[Permit | Refusal | ToolError]:
        """The guard's decisions on all calls, made at once; an error where a call is no act."""
        answers: list[Permit | Refusal | ToolError | None] = [
            self._fault(call, i) for i, call in enumerate(calls)
        ]
        acts = [
            _act(cause, call, self._toolbox.find(call.name).guard_class)
            for call, fault in zip(calls, answers, strict=True)
            if not fault
        ]
        decisions = iter(await self._guard.decide(acts) if acts else ())
        weighed = [fault or next(decisions) for fault in answers]
        for decision in weighed:
            if isinstance(decision, Refusal) and decision.stops:
                raise Refused(decision.reason, policy=decision.policy)
        return weighed

    def _fault(self, call: ToolCall, index: int) -> ToolError | None:
        """Why a call cannot even be weighed."""
        if index >= MOST_CALLS:
            return ToolError(f"not called: at most {MOST_CALLS} calls at once; ask again for more")
        if call.unreadable:
            return BadArguments(
                f"{call.name}: the arguments are no JSON object: {shortened(call.unreadable, 200)}"
            )
        try:
            self._toolbox.find(call.name)
        except ToolError as error:
            return error
        return None

    def _effects(self, call: ToolCall) -> Effects:
        try:
            return self._toolbox.find(call.name).effects
        except ToolError:
            return Effects.NONE

    async def _told(
        self, call: ToolCall, decision: Permit | Refusal | ToolError, index: int, of: int
    ) -> Message:
        if isinstance(decision, Refusal):
            return self._wrong(call, f"refused: {decision.reason}")
        if isinstance(decision, ToolError):
            return self._wrong(call, str(decision))
        try:
            result = await self._toolbox.call(call.name, call.arguments, decision)
        except ToolError as error:
            return self._wrong(call, str(error), is_the_tools=True)
        except PermitRefused as error:
            # A stale permit: what ran before this call took longer than a permit lasts.
            return self._wrong(call, str(error))
        except TimeoutError:
            # None of the turn's: that one arrives as a cancellation.
            return self._wrong(call, f"{call.name} took too long")
        return self._right(call, result, index, of)

    def _right(self, call: ToolCall, result: ToolResult, index: int, of: int) -> Message:
        room = max(_LEAST_RESULT, min(self._most, self._budget // of))
        text = self._fit(result.text, room)
        if not result.is_error:
            self.found.texts[self._step, index] = text
            self.found.evidence |= dict.fromkeys(result.evidence_ids)
        return self._message(call, self._fenced(call, text), is_error=result.is_error)

    def _wrong(self, call: ToolCall, sentence: str, *, is_the_tools: bool = False) -> Message:
        """Tools quote what others wrote in their errors too: names of channels, titles of threads.
        In our own sentences only the model is quoted, who may repeat what it read.
        """
        cleaned = self._clean(storable(sentence[: 2 * _LONGEST_ERROR]))
        text = shortened(defused(cleaned), _LONGEST_ERROR)
        return self._message(
            call, self._fenced(call, text) if is_the_tools else text, is_error=True
        )

    def _fenced(self, call: ToolCall, text: str) -> str:
        if self._toolbox.find(call.name).effects is Effects.NONE:
            return text
        return self._fence(target_of(call.name), text)

    def _fit(self, text: str, most: int) -> str:
        """As much of `text` as fits, without secrets: hidden before it is cut, for half of one
        looks like none; and not in all of ten megabytes, for that takes seconds.
        """
        if len(text) <= 2 * most:
            return cut(self._clean(storable(text)), most)
        return _cut_off(self._clean(storable(text[: 2 * most]))[:most], len(text))

    def _message(self, call: ToolCall, text: str, *, is_error: bool) -> Message:
        return Message(role=Role.TOOL, text=text, tool_call_id=call.id, is_error=is_error)


def batches(effects: Sequence[Effects]) -> Iterator[range]:
    """Which calls may run together: neighbours that change nothing, everything else alone."""
    begin = 0
    for i, effect in enumerate(effects):
        if effect in (Effects.WRITES, Effects.SENDS):
            if begin < i:
                yield range(begin, i)
            yield range(i, i + 1)
            begin = i + 1
    if begin < len(effects):
        yield range(begin, len(effects))


async def together(works: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """The results of all works, in order. When one raises or the caller is cancelled, the others
    are cancelled and waited for: nothing outlives its step.
    """
    coroutines = list(works)
    if len(coroutines) == 1:
        return [await coroutines[0]]
    tasks = [asyncio.ensure_future(work) for work in coroutines]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def cut(text: str, most: int) -> str:
    """`text`, or its first `most` characters and a sentence that says so."""
    return text if len(text) <= most else _cut_off(text[:most], len(text))


def _cut_off(beginning: str, of: int) -> str:
    return (
        f"{beginning}\n[Cut: these are the first {len(beginning):,} of {of:,} characters. "
        "Ask for less to see the rest.]"
    )


def shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"


def _act(cause: Cause, call: ToolCall, guard_class: str) -> Act:
    arguments = json.dumps(dict(call.arguments), sort_keys=True, default=str)
    return Act(
        agent=cause.agent,
        verb="tool",
        target=target_of(call.name),
        reason=cause.reason,
        trace_id=cause.trace_id,
        details={
            # A hash, not the words: people paste secrets into questions.
            "arguments_sha256": hashlib.sha256(arguments.encode()).hexdigest(),
            "guard_class": guard_class,
        },
    )
