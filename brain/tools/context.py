"""What a tool knows about the swarm and about the question it helps to answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from brain.cases import Case
from storage.latch import Latch
from storage.project_tables import EntryKind, ProjectStatus
from storage.store import Store


@dataclass(frozen=True, kw_only=True)
class AgentCard:
    """A member of the swarm as the others know it."""

    name: str
    role: str
    capabilities: tuple[str, ...]
    #: the soul's one-line description
    description: str
    #: nick in use
    nick: str


class Say(Protocol):
    async def __call__(self, target: str, text: str, hops: int) -> str:
        """Say `text` in the channel `target` (such as ``irc:#market``), with a permit of its own.

        `hops` is how many answers lie between it and a person's word. Gives what became of it, in
        a few words; raises `ToolError`, `Refused`, `StorageError`.
        """


class React(Protocol):
    async def __call__(self, message_id: int, emoji: str) -> str:
        """Put `emoji` under a recorded line, as `Say`."""


class Fetch(Protocol):
    async def __call__(self, message_id: int, name: str) -> str:
        """The text of an attachment of a recorded line; raises `ToolError`."""


class Share(Protocol):
    async def __call__(self, name: str, text: str) -> str:
        """Attach a text file where the question was asked, as `Say`."""


class Handing(Protocol):
    """Handing work to other agents; all raise `ToolError` in words and `StorageError`."""

    async def give(self, agent: str, instruction: str, wait_s: float) -> str:
        """What came of it within `wait_s` seconds, or its code."""

    async def ask(self, agent: str, question: str, wait_s: float) -> str:
        """The answer; after `wait_s` seconds nobody waits for it any more."""

    async def report(self, words: str) -> str:
        """Tell how far the work at hand is."""

    async def cancel(self, code: str, why: str) -> str:
        """Take back work that was handed over."""


class AskPeople(Protocol):
    async def __call__(self, case: Case) -> str:
        """Have people asked; their answer if it comes within the case's patience, else the code
        under which they were. Raises `ToolError` in words and `StorageError`.
        """


class Talking(Protocol):
    """Private talk with another agent; both raise `ToolError` in words and `StorageError`."""

    async def say(self, agent: str, words: str, code: str) -> str:
        """The answer, and whether the talk goes on. An empty `code`: this turn's talk with
        `agent`.
        """

    async def end(self, code: str, why: str) -> str:
        """End a talk; an empty `code`: the one that this turn is asked in."""


class Project(Protocol):
    """Writing into the project's log; both raise `ToolError` in words and `StorageError`."""

    async def set_status(self, status: ProjectStatus, sentence: str) -> None:
        """From now on the project stands so; only the captain may say it."""

    async def write_down(self, kind: EntryKind, words: str) -> None:
        """A decision, or a note."""


@dataclass(frozen=True, kw_only=True)
class Context:
    store: Store
    #: the agent that thinks
    agent: str
    network: str
    #: folded name of the channel the question was asked in, None in private
    channel: str | None
    #: nick of the person who asks
    asker: str
    #: the question as it was asked: its own words are never found by its own search
    asked: str
    #: aware UTC
    now: Callable[[], datetime]
    #: seconds, to tell whether a permit is still fresh
    monotonic: Callable[[], float]
    roster: Callable[[], Sequence[AgentCard]]
    #: the latch that kills an agent, None while it may act
    latch: Callable[[str], Latch | None]
    #: what begins a command in channels
    command_prefix: str = "!"
    #: everybody on a network may read this channel: network, channel → yes or no
    is_open: Callable[[str, str], bool] = lambda _network, _channel: True
    #: hides secrets in what is kept for others
    clean: Callable[[str], str] = str
    #: people who may order what is said anywhere asked for it, or it came from open places alone
    reaches_out: bool = False
    trace_id: str = ""
    #: session key; empty: made of the network and the channel or the person
    session: str = ""
    #: recorded line that asks, None when there is none
    message_id: int | None = None
    #: answers between the question and a person's word, and how many of them there may be
    hops: int = 0
    max_hops: int = 4
    #: typed addresses of the channels that the agent sits in, such as ``irc:#lobby``
    targets: Callable[[], Sequence[str]] = tuple
    #: between two lines in one channel that nobody there asked for, in seconds
    post_every_s: float = 60.0
    #: what reaches outside; None where it cannot
    say: Say | None = None
    react: React | None = None
    fetch: Fetch | None = None
    share: Share | None = None
    handing: Handing | None = None
    people: AskPeople | None = None
    project: Project | None = None
    talking: Talking | None = None
    #: the captain thinks
    leads: bool = False
    #: somebody handed over the work at hand
    is_delegated: bool = False
    #: the question is a word of another agent in a private talk
    is_in_talk: bool = False
    #: there are people who can be asked
    has_people: bool = True

    @property
    def may_open_talk(self) -> bool:
        return not self.is_in_talk

    @property
    def place(self) -> str:
        """Session key of where the question was asked."""
        return self.session or f"{self.network}:{self.channel or f'nick:{self.asker}'}"

    @property
    def is_open_place(self) -> bool:
        """Everybody may read where the question was asked."""
        return self.channel is not None and self.is_open(self.network, self.channel)

    @property
    def is_for_all(self) -> bool:
        """What comes of the question may be published."""
        return self.is_open_place or self.reaches_out

    def may_quote(self, network: str, channel: str) -> bool:
        """What was said there may be repeated where this question was asked."""
        if not channel.startswith(("#", "&")):
            # Private talk with an agent is nobody else's to find.
            return False
        return (network, channel) == (self.network, self.channel) or self.is_open(network, channel)
