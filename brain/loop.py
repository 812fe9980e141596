"""The agent loop: run → step → query → act, until the model answers or a limit is reached.

One loop answers one question. Cancelling `run` cancels the model's call or the tool that is at
work.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from brain.errors import LimitReached, Refused, StepLimitReached, TimeLimitReached, ToolError
from brain.guard import Guard, Refusal
from brain.model import Completion, Conversation, Message, Model, Role, ToolCall
from brain.tools.registry import Toolbox, target_of
from storage.acts import Act, Permit


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """An earlier question of the same session, and its answer."""

    asked: str
    answer: str


@dataclass(frozen=True, kw_only=True)
class Question:
    #: nick of who asks
    asker: str
    text: str
    #: session key: ``<network>:<channel>``, or ``<network>:nick:<person>`` in private
    place: str
    #: folded channel, None in private
    channel: str | None
    #: the agent that is asked
    agent: str
    trace_id: str
    #: oldest first
    history: tuple[Exchange, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Answer:
    text: str
    #: how often the model was asked
    steps: int
    model: str
    #: shown to people beside the answer, such as ``offline brain``
    label: str
    #: ids of the recorded lines it stands on, without repeats, in order of use
    evidence_ids: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Limits:
    steps: int = 6
    time_s: float = 60.0


class Loop:
    """`clock` reads monotonic seconds; `system` is the system prompt.

    `on_progress` is awaited after every step that acted: the functional heartbeat.
    """

    def __init__(
        self,
        model: Model,
        toolbox: Toolbox,
        guard: Guard,
        limits: Limits,
        clock: Callable[[], float],
        *,
        system: str = "",
        on_progress: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._model = model
        self._toolbox = toolbox
        self._guard = guard
        self._limits = limits
        self._clock = clock
        self._system = system
        self._on_progress = on_progress
        self._messages: list[Message] = []
        self._evidence: dict[int, None] = {}
        self._steps = 0
        self._deadline_s = 0.0

    async def run(self, question: Question) -> Answer:
        """Answer `question`. Raises `Refused` when the guard ends the turn, `ModelFailed`,
        `StorageError`.
        """
        self._deadline_s = self._clock() + self._limits.time_s
        self._messages = _opening(question)
        try:
            text = await self._step(question)
            while text is None:
                text = await self._step(question)
        except LimitReached as limit:
            text = self._what_it_has(limit)
        return Answer(
            text=text.strip() or "I have no answer to that.",
            steps=self._steps,
            model=self._model.name,
            label=self._model.label,
            evidence_ids=tuple(self._evidence),
        )

    async def _step(self, question: Question) -> str | None:
        """One query and what it asks for; the answer's text when the model is done."""
        completion = await self._query()
        if not completion.tool_calls:
            return completion.text
        await self._act(question, completion.tool_calls)
        if self._on_progress is not None:
            await self._on_progress()
        return None

    async def _query(self) -> Completion:
        if self._steps >= self._limits.steps:
            raise StepLimitReached(f"I stopped after {self._steps} steps")
        self._steps += 1
        conversation = Conversation(
            system=self._system, messages=tuple(self._messages), tools=self._toolbox.specs
        )
        async with self._time_left():
            completion = await self._model.query(conversation)
        self._messages.append(
            Message(role=Role.ASSISTANT, text=completion.text, tool_calls=completion.tool_calls)
        )
        return completion

    async def _act(self, question: Question, calls: tuple[ToolCall, ...]) -> None:
        """Have the guard decide on all calls of a step at once, then run the permitted ones in
        order.
        """
        decisions = await self._guard.decide([self._intent(question, call) for call in calls])
        for call, decision in zip(calls, decisions, strict=True):
            if isinstance(decision, Refusal) and decision.stops:
                raise Refused(decision.reason, policy=decision.policy)
            self._messages.append(await self._result(call, decision))

    def _intent(self, question: Question, call: ToolCall) -> Act:
        arguments = json.dumps(dict(call.arguments), sort_keys=True, default=str)
        return Act(
            agent=question.agent,
            verb="tool",
            target=target_of(call.name),
            reason=f"{question.asker} asked in {question.place}",
            trace_id=question.trace_id,
            # A hash, not the words: people paste secrets into questions.
            details={"arguments_sha256": hashlib.sha256(arguments.encode()).hexdigest()},
        )

    async def _result(self, call: ToolCall, decision: Permit | Refusal) -> Message:
        if isinstance(decision, Refusal):
            return _told(call, f"refused: {decision.reason}", is_error=True)
        try:
            async with self._time_left():
                result = await self._toolbox.call(call.name, call.arguments, decision)
        except ToolError as error:
            return _told(call, str(error), is_error=True)
        self._evidence |= dict.fromkeys(result.evidence_ids)
        return _told(call, result.text)

    @asynccontextmanager
    async def _time_left(self) -> AsyncIterator[None]:
        """What is done inside ends with `TimeLimitReached` when the turn's time is up."""
        sentence = f"I stopped after {self._limits.time_s:g} s"
        left_s = self._deadline_s - self._clock()
        if left_s <= 0:
            raise TimeLimitReached(sentence)
        timeout = asyncio.timeout(left_s)
        try:
            async with timeout:
                yield
        except TimeoutError:
            # Only our own: a tool may have met a timeout that is none of ours.
            if timeout.expired():
                raise TimeLimitReached(sentence) from None
            raise

    def _what_it_has(self, limit: LimitReached) -> str:
        found = [m.text for m in self._messages if m.role is Role.TOOL and not m.is_error]
        if not found:
            return f"{limit} and had found nothing yet."
        return "\n".join([f"{limit}; this is what I have:", *found])


def _opening(question: Question) -> list[Message]:
    messages: list[Message] = []
    for exchange in question.history:
        messages.append(Message(role=Role.USER, text=exchange.asked))
        messages.append(Message(role=Role.ASSISTANT, text=exchange.answer))
    return [*messages, Message(role=Role.USER, text=question.text)]


def _told(call: ToolCall, text: str, *, is_error: bool = False) -> Message:
    return Message(role=Role.TOOL, text=text, tool_call_id=call.id, is_error=is_error)
