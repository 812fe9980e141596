"""What a stub of the vendors answers, in no vendor's words: a queue of steps, or a choice.

    script = Script(Fail(529), Say("Hello."))         # in this order, one a request
    script = Script(choose=lambda asked: Say(asked.model))

The queue goes first; when it is empty `choose` decides; without one the answer is a 400 that says
so. Every request is kept as an `Asked`, and what was reported as used is on the `bill`.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

#: requests that are kept; a run of ten thousand must not fill the memory
KEPT = 512

Ending = Literal["done", "tools", "length", "refused"]


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """As billed: the four counts do not overlap. A wire adds them up as its vendor would."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cache_read_tokens=self.cache_read_tokens + other.cache_read_tokens,
            cache_write_tokens=self.cache_write_tokens + other.cache_write_tokens,
        )


@dataclass(frozen=True)
class Call:
    """A tool that the answer asks for; arguments given as text are sent as they are."""

    name: str
    arguments: Mapping[str, Any] | str = field(default_factory=dict)

    @property
    def json(self) -> str:
        if isinstance(self.arguments, str):
            return self.arguments
        return json.dumps(dict(self.arguments))

    @property
    def parsed(self) -> Any:
        """For formats that carry arguments as an object: these cannot be cut in half."""
        return json.loads(self.json)


@dataclass(frozen=True)
class Say:
    """An answer; `usage` None is worked out from the lengths, `ending` None from the tools."""

    text: str = ""
    tools: tuple[Call, ...] = ()
    usage: Tokens | None = field(default=None, kw_only=True)
    ending: Ending | None = field(default=None, kw_only=True)

    @property
    def stop(self) -> Ending:
        return self.ending or ("tools" if self.tools else "done")


@dataclass(frozen=True)
class Fail:
    """An error; `kind` and `body` instead of those that the vendor has for the status.

    After `amid`, the error comes in the middle of a stream (where the request streams).
    """

    status: int
    message: str = ""
    retry_after_s: float | None = field(default=None, kw_only=True)
    kind: str = field(default="", kw_only=True)
    body: str | None = field(default=None, kw_only=True)
    amid: Say | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class Cut:
    """The connection ends after so many characters of text and arguments; `politely` ends the
    stream as if it were whole, with its last events missing.
    """

    after_characters: int
    say: Say
    politely: bool = field(default=False, kw_only=True)


@dataclass(frozen=True)
class Slow:
    """Seconds before the answer's head, and between its pieces."""

    step: Say | Fail | Cut
    before_s: float = field(default=0.0, kw_only=True)
    between_s: float = field(default=0.0, kw_only=True)


@dataclass(frozen=True)
class Malformed:
    """A body as it is, with status 200."""

    raw: str


Step = Say | Fail | Cut | Slow | Malformed


@dataclass(kw_only=True, eq=False)
class Asked:
    """One request, and what became of it. Moments are `time.perf_counter` seconds."""

    #: which format it came in: ``messages``, ``responses``, ``chat``
    wire: str
    model: str
    key: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    streams: bool
    #: text of the last message of a person, and the tools on offer
    said: str
    tools: tuple[str, ...]
    #: the last message is a tool's result
    has_result: bool
    #: its text, from wires that look
    result: str = ""
    at: float = field(default_factory=time.perf_counter)
    #: the client closed its socket before the answer was whole
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    closed_at: float | None = None
    #: the whole answer was written
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    #: the first piece of the answer was written
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    #: what it was told that it used
    billed: Tokens = Tokens()


class Script:
    """`keys` and `models`: any other is refused as the vendor would; None: all are good."""

    def __init__(
        self,
        *steps: Step,
        choose: Callable[[Asked], Step] | None = None,
        keys: Collection[str] | None = None,
        models: Collection[str] | None = None,
    ) -> None:
        self.requests: deque[Asked] = deque(maxlen=KEPT)
        #: requests so far, also those that are not kept any more
        self.count = 0
        #: tokens that were reported, per model
        self.bill: dict[str, Tokens] = {}
        #: models that are down, and the status that they answer with
        self.failing: dict[str, int] = {}
        self.keys = keys
        self.models = models
        self.choose = choose
        self._steps = deque(steps)
        self._arrived = asyncio.Condition()

    def then(self, *steps: Step) -> None:
        self._steps.extend(steps)

    @property
    def last(self) -> Asked:
        return self.requests[-1]

    async def asked(self, count: int = 1) -> Asked:
        """The last request, as soon as there were `count`."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: self.count >= count)
        return self.last

    def step(self, asked: Asked) -> Step:
        """What `asked` is answered; takes it from the queue."""
        if self._steps:
            return self._steps.popleft()
        if self.choose is not None:
            return self.choose(asked)
        return Fail(400, "The stub's script has come to its end.")

    @asynccontextmanager
    async def taking(self, asked: Asked) -> AsyncIterator[None]:
        """Inside, `asked` is answered. Notes when its socket closes; the server cancels handlers
        whose client has gone.
        """
        async with self._arrived:
            self.requests.append(asked)
            self.count += 1
            self._arrived.notify_all()
        try:
            yield
        except (asyncio.CancelledError, ConnectionError):
            asked.closed_at = time.perf_counter()
            asked.closed.set()
            raise
        asked.answered.set()

    def book(self, asked: Asked, tokens: Tokens) -> None:
        """To be called by a wire when it has told `asked` what it used."""
        asked.billed = tokens
        self.bill[asked.model] = self.bill.get(asked.model, Tokens()) + tokens


def usage_of(asked: Asked, say: Say) -> Tokens:
    """As the step says, else four characters a token, and at least one of each."""
    if say.usage is not None:
        return say.usage
    written = len(say.text) + sum(len(call.name) + len(call.json) for call in say.tools)
    return Tokens(
        input_tokens=max(1, len(json.dumps(asked.body)) // 4),
        output_tokens=max(1, written // 4),
    )


def pieces(text: str) -> Iterator[str]:
    """`text` word by word, as a model streams it; nothing is lost."""
    return (match.group() for match in re.finditer(r"\s*\S+|\s+", text))
