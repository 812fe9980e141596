"""Word on Discord beside the card: to each approver in private, and to a role where the card is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from discord.http import MultipartParameters

from bots.discord.cards import plain
from bots.discord.refusals import FAILURES, delivery_of, refused
from bots.discord.speech import Speech, Unsayable
from bots.discord.splitting import MESSAGE_CHARACTERS
from bots.messages import DISCORD, Delivery, Place, Target
from bots.people.notifying import Notice, headline, permit, text
from brain.guard import Guard
from storage.acts import Permit
from storage.request import Request

_USERS_MOST: Final = 20


@dataclass(frozen=True)
class Calling:
    """As `bots.people.notifying.Notifier`."""

    speech: Speech
    guard: Guard

    def recipients(self, request: Request) -> Sequence[str]:
        """Who has a role is known to Discord alone: they are called by the role."""
        users = request.approvers.users[:_USERS_MOST]
        called = [str(Target(DISCORD, Place.USER, user)) for user in users]
        if request.approvers.roles and request.network == DISCORD:
            called.append(str(Target.channel(DISCORD, request.channel)))
        return called

    async def send(self, notice: Notice) -> Delivery:
        return await self._leave(notice, await permit(self.guard, notice))

    async def _leave(self, notice: Notice, granted: Permit) -> Delivery:
        target = Target.parse(notice.recipient)
        payload = _in_private(notice) if target.is_private else _to_roles(notice)
        try:
            client, channel = await self.speech.channel(target)
            if why := self.speech.objection(target, granted):
                return refused(why)
            params = MultipartParameters(
                payload=payload | {"nonce": notice.key, "enforce_nonce": True},
                multipart=None,
                files=None,
            )
            said = await self.speech.leave(
                granted, lambda: client.http.send_message(channel, params=params)
            )
        except Unsayable as error:
            return error.delivery
        except FAILURES as error:
            return delivery_of(error)
        return Delivery(sent=True, proof=f"id:{said['id']}")


def _in_private(notice: Notice) -> dict[str, Any]:
    lines = (plain(line) for line in text(notice.request).splitlines())
    return {
        "content": "\n".join(lines)[:MESSAGE_CHARACTERS],
        "allowed_mentions": {"parse": []},
    }


def _to_roles(notice: Notice) -> dict[str, Any]:
    roles = notice.request.approvers.roles
    called = " ".join(f"<@&{role}>" for role in roles)
    return {
        "content": f"{called} {plain(headline(notice.request))}"[:MESSAGE_CHARACTERS],
        "allowed_mentions": {"parse": [], "roles": list(roles)},
    }
