"""Saying things: part after part, each with its nonce, and Discord's answer as the proof."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import discord
from discord.http import MultipartParameters, handle_message_parameters

from bots.discord.config import DiscordConfig
from bots.discord.directs import Directs
from bots.discord.readable import one_line, size
from bots.discord.refusals import FAILURES, delivery_of, refused, sentence, unsaid
from bots.discord.requests import Requests
from bots.discord.splitting import MESSAGE_CHARACTERS
from bots.discord.streaming import Draft
from bots.messages import Delivery, Place, Target
from bots.transport import PartBegun
from storage.acts import Permit
from storage.errors import PermitRefused

#: longest nonce that Discord takes
NONCE_CHARACTERS = 25


T = TypeVar("T")


class Unsayable(Exception):
    """Nothing can be said there; the delivery says why."""

    def __init__(self, delivery: Delivery) -> None:
        super().__init__(delivery.proof)
        self.delivery = delivery


class Speech:
    """One agent's mouth on Discord. `client` is the one that is logged in, None while nobody is."""

    def __init__(
        self,
        config: DiscordConfig,
        *,
        client: Callable[[], discord.Client | None],
        directs: Directs,
        named: Callable[[str], str | None] = lambda _: None,
        veto: Callable[[Permit], str],
    ) -> None:
        """`named` finds a channel's id by the name that the record has for it."""
        self._config = config
        self._named = named
        #: requests under way, each with the permit under which it leaves
        self._leaving: dict[asyncio.Future[Any], Permit] = {}
        self._client = client
        self._directs = directs
        #: why nothing may leave under a permit at this moment, empty when it may
        self.veto = veto
        #: shared by all that shows something: a 429 bars them together
        self.requests = Requests(most_s=config.send_s)

    async def say(
        self,
        target: Target,
        parts: Sequence[str],
        permit: Permit,
        *,
        keys: Sequence[str],
        answers: str | None = None,
    ) -> list[Delivery]:
        """As `bots.transport.Transport.say`."""
        permit.check("send", str(target), now_s=time.monotonic())
        if len(keys) != len(parts):
            raise ValueError("every part needs a key")
        deliveries: list[Delivery] = []
        for part, key in zip(parts, keys, strict=True):
            reference = answers if not deliveries else None
            deliveries.append(await self.say_one(target, part, permit, key=key, answers=reference))
            if not deliveries[-1].sent:
                break
        rest = len(parts) - len(deliveries)
        return deliveries + [_not_reached(deliveries[-1])] * rest if rest else deliveries

    async def say_one(
        self, target: Target, part: str, permit: Permit, *, key: str, answers: str | None = None
    ) -> Delivery:
        """Say one part; the permit is checked anew."""
        if why := self.objection(target, permit) or _too_long(part):
            return refused(why)
        try:
            client, channel = await self.channel(target)
            params = _content(part, key, channel, answers)
            said = await self.leave(
                permit, lambda: client.http.send_message(channel, params=params)
            )
        except Unsayable as error:
            return error.delivery
        except FAILURES as error:
            return delivery_of(error)
        return Delivery(sent=True, proof=f"id:{said['id']}")

    async def edit(self, target: Target, message: str, part: str, permit: Permit) -> Delivery:
        """Let a message of ours say `part` from now on."""
        if why := self.objection(target, permit) or _too_long(part):
            return refused(why)
        params = handle_message_parameters(
            part, allowed_mentions=discord.AllowedMentions.none(), flags=_quiet()
        )
        try:
            client, channel = await self.channel(target)
            await self.leave(
                permit, lambda: client.http.edit_message(channel, int(message), params=params)
            )
        except Unsayable as error:
            return error.delivery
        except FAILURES as error:
            return delivery_of(error)
        return Delivery(sent=True, proof=f"id:{message}")

    async def take_back(self, target: Target, message: str, permit: Permit) -> Delivery:
        """Delete a message of ours: a draft that became shorter."""
        if why := self.objection(target, permit):
            return refused(why)
        try:
            client, channel = await self.channel(target)
            await self.requests.once(lambda: client.http.delete_message(channel, int(message)))
        except Unsayable as error:
            return error.delivery
        except FAILURES as error:
            return delivery_of(error)
        return Delivery(sent=True, proof=f"id:{message}")

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
        """Attach `data` as a file called `name`; `text` (at most 2,000 characters) stands above."""
        permit.check("send", str(target), now_s=time.monotonic())
        if len(data) > self._config.upload_bytes:
            most = size(self._config.upload_bytes)
            return refused(f"{one_line(name)} has {size(len(data))}, more than {most}")
        if why := self.objection(target, permit) or (_too_long(text) if text else ""):
            return refused(why)
        try:
            client, channel = await self.channel(target)

            def ask() -> Awaitable[Any]:
                # Made anew for every try: discord.py closes the file after one.
                file = discord.File(io.BytesIO(data), filename=one_line(name))
                params = _content(text, key, channel, answers, file=file)
                return client.http.send_message(channel, params=params)

            said = await self.leave(permit, ask)
        except Unsayable as error:
            return error.delivery
        except FAILURES as error:
            return delivery_of(error)
        return Delivery(sent=True, proof=f"id:{said['id']}")

    def draft(
        self,
        target: Target,
        permit: Permit,
        *,
        begun: PartBegun,
        split: Callable[[str], list[str]],
        answers: str | None,
    ) -> Draft:
        """As `bots.transport.Transport.draft`."""
        return Draft(
            self,
            target,
            permit,
            begun=begun,
            split=split,
            answers=answers,
            every_s=self._config.edit_every_s,
            now_s=time.monotonic,
            pause=asyncio.sleep,
        )

    def hush(self) -> None:
        """Take back what still waits to leave, for a rate limit or a connection, and may not leave
        any more. What is under way may have arrived.
        """
        for task, permit in list(self._leaving.items()):
            if self.veto(permit):
                task.cancel()

    async def leave(self, permit: Permit, ask: Callable[[], Awaitable[T]]) -> T:
        """Make a request that a second one does not double; raises as `unless_killed`, and what
        `refusals.FAILURES` names.
        """
        return await self.unless_killed(permit, self.requests.again(ask))

    async def unless_killed(self, permit: Permit, leaving: Awaitable[T]) -> T:
        """Wait for what leaves under `permit`; `Unsayable` when a kill came meanwhile."""
        task = asyncio.ensure_future(leaving)
        self._leaving[task] = permit
        try:
            return await task
        except asyncio.CancelledError:
            us = asyncio.current_task()
            if us is not None and us.cancelling():
                task.cancel()
                raise
        finally:
            del self._leaving[task]
        # Raised here, so that nothing keeps what was cancelled: an interaction's lock in discord.py
        # is not released then, but forgotten once nobody holds it.
        raise Unsayable(Delivery(sent=False, proof="stopped while it was leaving", unknown=True))

    async def channel(self, target: Target) -> tuple[discord.Client, int]:
        """The client and the id of the channel that `target` means; raises `Unsayable`."""
        if target.network != self._config.network:
            raise Unsayable(refused(f"{target} is not on {self._config.network}"))
        name = self._named(target.name) or target.name
        if target.place is Place.NICK or not name.isdecimal():
            raise Unsayable(refused(f"{target} is no channel and no user on Discord"))
        client = self._client()
        if client is None:
            raise Unsayable(unsaid("not connected to Discord"))
        if target.place is Place.CHANNEL:
            return client, int(name)
        try:
            return client, await self.requests.once(
                lambda: self._directs.channel_to(target.name, client)
            )
        except FAILURES as error:
            delivery = delivery_of(error)
            if delivery.unknown:
                # Opening a conversation says nothing yet.
                delivery = unsaid(sentence(error))
            raise Unsayable(delivery) from error

    def objection(self, target: Target, permit: Permit) -> str:
        """A permit was good when the first part left; a kill, or time, may have ended it since."""
        try:
            permit.check("send", str(target), now_s=time.monotonic())
        except PermitRefused as error:
            return str(error)
        return self.veto(permit)


def _content(
    text: str, key: str, channel: int, answers: str | None, *, file: discord.File | None = None
) -> MultipartParameters:
    if not key or len(key) > NONCE_CHARACTERS:
        raise ValueError(f"a key has 1 to {NONCE_CHARACTERS} characters: {key!r}")
    more: dict[str, Any] = {} if file is None else {"file": file}
    if answers is not None:
        more["message_reference"] = {
            "message_id": int(answers),
            "channel_id": channel,
            "fail_if_not_exists": False,
        }
        more["mention_author"] = False
    return handle_message_parameters(
        text,
        nonce=key,  # discord.py adds enforce_nonce
        flags=_quiet(),
        allowed_mentions=discord.AllowedMentions.none(),
        **more,
    )


def _quiet() -> discord.MessageFlags:
    flags = discord.MessageFlags()
    flags.suppress_embeds = True
    return flags


def _too_long(part: str) -> str:
    if not part.strip():
        return "Discord takes no empty message"
    if len(part) > MESSAGE_CHARACTERS:
        return f"a part has {len(part)} characters, more than {MESSAGE_CHARACTERS}; split it first"
    return ""


def _not_reached(last: Delivery) -> Delivery:
    """What follows a part that did not get through."""
    if last.unknown or last.unsaid:
        return unsaid("what came before it did not get through")
    return last
