"""What every network's transport offers to the agent that speaks and hears through it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol

from bots.messages import IRC, Delivery, Mark, Target, TransportHealth
from storage.acts import Permit

#: stands at the end of what is shown while more is to come
MORE: Final = " \N{HORIZONTAL ELLIPSIS}"
#: writes down that a part of a draft is about to be said: its number from 0 and its text → its key,
#: as `Transport.say` has them; raises `StorageError`
PartBegun = Callable[[int, str], Awaitable[str]]


class Draft(Protocol):
    """An answer that is shown while it grows; `grow` as often as you like, `finish` or `take_back`
    once. As long as messages of it are missing, the last one that is shown ends with `MORE`.
    """

    @property
    def standing(self) -> int:
        """How many messages of it are shown."""

    def grow(self, text: str) -> None:
        """The whole answer so far is `text`."""

    async def finish(self, text: str) -> list[Delivery]:
        """The answer is `text`: one `Delivery` for each of its parts, in order."""

    async def take_back(self) -> bool:
        """There is no answer: nothing of it stands any more; False where some of it may."""

    async def abandon(self) -> None:
        """Leave what is shown as it is."""


class Transport(Protocol):
    """One agent's connection to one network; `run` until `stop`."""

    @property
    def network(self) -> str: ...

    @property
    def has_replies(self) -> bool:
        """An answer shows which line it answers, by whom, and may be long."""

    @property
    def can_edit(self) -> bool:
        """What was said can be changed: `draft` gives one."""

    @property
    def knows_keys(self) -> bool:
        """A part with a key that was said before is not said again, see `say`."""

    @property
    def keeps_history(self) -> bool:
        """What was said while we were away can be asked for, see `fetch_missed`."""

    @property
    def health(self) -> TransportHealth: ...

    async def run(self) -> None: ...

    async def stop(self, farewell: str) -> None: ...

    def split(self, target: Target, text: str) -> list[str]:
        """Parts of `text` that can each be said at once, in order."""

    def is_open(self, channel: str) -> bool:
        """Everybody on this network may read the channel; no where that is not known."""

    async def say(
        self,
        target: Target,
        parts: Sequence[str],
        permit: Permit,
        *,
        keys: Sequence[str],
        answers: str | None = None,
    ) -> list[Delivery]:
        """One `Delivery` for each part, in order; raises `PermitRefused`.

        `keys` names each part for good (at most 25 characters): where the network can, a part with
        a key that it knows is not said again, and the first one's proof is given. `answers` is the
        network's id of the line that is answered.
        """

    async def send_file(
        self,
        target: Target,
        name: str,
        data: bytes,
        permit: Permit,
        *,
        key: str,
        text: str = "",
        answers: str | None = None,
    ) -> Delivery:
        """Attach a file, its size capped; `text` stands above it. Permit, key and refusals as in
        `say`.
        """

    def draft(
        self, target: Target, permit: Permit, *, begun: PartBegun, answers: str | None = None
    ) -> Draft | None:
        """An answer that is shown while it grows, under a permit to send to `target`; None where
        what was said cannot be changed any more.
        """

    async def fetch_missed(self, channel: str, after: str | datetime) -> None:
        """Hear what was said in `channel` (as the record names it) after the message `after`, or
        since that moment, on networks that keep a history.
        """

    async def mark(self, target: Target, message: str, mark: Mark, permit: Permit) -> None:
        """React to a line, where the network has reactions; raises `PermitRefused` (verb ``mark``).
        A network's refusal is logged, not raised: a mark is a courtesy.
        """

    async def react(self, target: Target, message: str, emoji: str, permit: Permit) -> bool:
        """Put `emoji` under a line, as `mark` (verb ``mark``); False where that cannot be."""

    async def attachment(self, target: Target, message: str, name: str) -> str | None:
        """The text of a file of this name that hangs on a line; None where there is none, or it is
        no text, or too large.
        """

    async def typing(self, target: Target, permit: Permit) -> None:
        """Show for some seconds that an answer is being made; as `mark`."""

    async def open_thread(
        self, target: Target, message: str, name: str, permit: Permit
    ) -> Target | None:
        """The thread below a line, opened as `name` unless there is one; None where it cannot be.
        Raises `PermitRefused` (verb ``thread``).
        """


def everybody_reads(transports: Mapping[str, Transport], network: str, channel: str) -> bool:
    """Whether what was said there may be told elsewhere; never what was said in private."""
    if channel.startswith("nick:"):
        return False
    transport = transports.get(network)
    # Without Discord nobody here knows who may read what there.
    return transport.is_open(channel) if transport else network == IRC
