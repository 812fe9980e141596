"""The agent loop: assemble → query → act → observe, until the model answers or a limit is reached.

One loop answers one question. Cancelling `run` ends the model's request and every tool that is at
work, with their children.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from brain.acting import Acting, Cause, Clean, Fence, as_it_is, unfenced
from brain.draft import Draft
from brain.errors import (
    ContextOverflow,
    CostLimitReached,
    LimitReached,
    NoMoney,
    StepLimitReached,
    TimeLimitReached,
    TokenLimitReached,
)
from brain.guard import Guard
from brain.model import (
    Completion,
    Conversation,
    Message,
    Model,
    Occasion,
    Reader,
    Role,
    Stop,
    Usage,
)
from brain.rewriting import rewritten
from brain.spent import Spent
from brain.tools.registry import Toolbox
from storage.text import storable

#: characters of findings that people are shown when a limit ends the turn
_LONGEST_FINDINGS = 2_000
_NUSD = 1_000_000_000


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
    #: the whole opening, this question at its end; where it is given, `history` and `text` are not
    #: looked at
    opening: tuple[Message, ...] = ()
    #: what the model's calls are booked on; None: at nobody's cost
    occasion: Occasion | None = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    text: str
    #: how often the model was asked
    steps: int
    #: who gave the last completion
    model: str
    #: shown to people beside the answer, such as ``offline brain``
    label: str
    #: ids of the recorded lines it stands on, without repeats, in order of use
    evidence_ids: tuple[int, ...] = ()
    #: what people should know about how it came to be, such as a fallback
    notes: tuple[str, ...] = ()
    #: of the whole turn, in billionths of a US dollar
    cost_nusd: int = 0
    #: of the whole turn
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, kw_only=True)
class Limits:
    steps: int = 6
    time_s: float = 60.0
    #: of all kinds, sent and received, in all queries of the turn together; 0: no limit
    tokens: int = 0
    #: 0: no limit beside the budgets
    cost_nusd: int = 0
    #: the most of one tool's result that a model is given
    result_characters: int = 16_000


class Loop:
    """`clock` reads monotonic seconds; `system` is the system prompt; `fence` marks what tools
    found as data, `clean` hides secrets in it. `on_progress` is awaited after every step that
    acted: the functional heartbeat. `spent` is what the turn has used in an earlier try, and goes
    on counting: the limits are the turn's.
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
        fence: Fence = unfenced,
        clean: Clean = as_it_is,
        spent: Spent | None = None,
    ) -> None:
        self._model = model
        self._toolbox = toolbox
        self._limits = limits
        self._clock = clock
        self._system = system
        self._on_progress = on_progress
        self._acting = Acting(
            toolbox,
            guard,
            # As a token is about four characters, a step's results fill a quarter of the context.
            budget=model.capabilities.context_tokens,
            most=limits.result_characters,
            fence=fence,
            clean=clean,
        )
        self._messages: list[Message] = []
        self._last = Completion()
        self._spent = spent or Spent()
        self._deadline_s = 0.0

    async def run(self, question: Question, reader: Reader | None = None) -> Answer:
        """Answer `question`. `reader` gets the text as it is made; `Answer.text` is what counts.

        Raises `Refused` when the guard ends the turn, `ModelFailed` (`ContextOverflow` when the
        conversation must be made shorter), `StorageError`.
        """
        if self._spent.began_s is None:
            self._spent.began_s = self._clock()
        self._deadline_s = self._spent.began_s + self._limits.time_s
        self._messages = _opening(question)
        draft = None if reader is None else Draft(reader)
        try:
            text = await self._step(question, draft)
            while text is None:
                text = await self._step(question, draft)
        except LimitReached as limit:
            text = self._what_it_has(limit, draft)
        return Answer(
            text=text,
            steps=self._spent.steps,
            model=self._last.model or self._model.name,
            label=self._last.label or self._model.label,
            evidence_ids=tuple(self._acting.found.evidence),
            notes=self._spent.notes(self._last),
            cost_nusd=self._spent.cost_nusd,
            usage=self._spent.usage,
        )

    async def _step(self, question: Question, draft: Draft | None) -> str | None:
        """One query and what it asks for; the answer's text when the model is done."""
        self._check_limits()
        completion = await self._query(self._assemble(question), draft)
        if completion.stop is Stop.REFUSED or not completion.tool_calls:
            return _sentence(completion)
        self._observe(await self._act(question, completion))
        if self._on_progress is not None:
            await self._on_progress()
        return None

    def _assemble(self, question: Question) -> Conversation:
        return Conversation(
            system=self._system,
            messages=tuple(self._messages),
            tools=self._toolbox.specs,
            occasion=question.occasion,
        )

    async def _query(self, conversation: Conversation, draft: Draft | None) -> Completion:
        self._spent.steps += 1
        if draft is not None:
            draft.begin()
        try:
            async with self._time_left():
                said = await self._model.query(conversation, draft)
        except ContextOverflow:
            # It was sent back unread.
            self._spent.steps -= 1
            raise
        except NoMoney as error:
            if not self._acting.found.texts:
                raise
            raise CostLimitReached(str(error).rstrip(".")) from error
        if draft is not None:
            draft.end()
        # Models write half characters too, which no database takes and no socket.
        self._last = completion = rewritten(said, storable)
        self._spent.count(completion)
        return completion

    async def _act(self, question: Question, completion: Completion) -> list[Message]:
        said = Message(role=Role.ASSISTANT, text=completion.text, tool_calls=completion.tool_calls)
        cause = Cause(
            agent=question.agent,
            reason=f"{question.asker} asked in {question.place}",
            trace_id=question.trace_id,
        )
        async with self._time_left():
            return [said, *await self._acting.act(cause, completion.tool_calls)]

    def _observe(self, messages: Sequence[Message]) -> None:
        self._messages += messages

    def _check_limits(self) -> None:
        limits, spent = self._limits, self._spent
        if spent.steps >= limits.steps:
            raise StepLimitReached(f"I stopped after {spent.steps} steps")
        if limits.tokens and spent.usage.total >= limits.tokens:
            raise TokenLimitReached(f"I stopped after {spent.usage.total:,} tokens")
        if limits.cost_nusd and spent.cost_nusd >= limits.cost_nusd:
            raise CostLimitReached(f"I stopped after ${spent.cost_nusd / _NUSD:.4f}")

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

    def _what_it_has(self, limit: LimitReached, draft: Draft | None) -> str:
        written = draft.text.strip() if draft is not None else ""
        if written:
            return f"{written}\n[{limit}, in the middle of this answer.]"
        found = "\n".join(self._acting.found.in_order())
        if not found:
            return f"{limit} and had found nothing yet."
        if len(found) > _LONGEST_FINDINGS:
            found = f"{found[:_LONGEST_FINDINGS]}…"
        return f"{limit}; this is what I have:\n{found}"


def _opening(question: Question) -> list[Message]:
    if question.opening:
        return list(question.opening)
    messages: list[Message] = []
    for exchange in question.history:
        messages.append(Message(role=Role.USER, text=exchange.asked))
        messages.append(Message(role=Role.ASSISTANT, text=exchange.answer))
    return [*messages, Message(role=Role.USER, text=question.text)]


def _sentence(completion: Completion) -> str:
    """What people are told for a completion that ends the turn."""
    text = completion.text.strip()
    if completion.stop is Stop.REFUSED:
        return text or "The model will not answer that."
    if completion.stop is Stop.LENGTH:
        return (
            f"{text}\n[The answer is cut here: it reached the most that the model may write.]"
            if text
            else "The model wrote as much as it may before it came to an answer. Ask for less."
        )
    return text or "I have no answer to that."
