"""Where a result is to be said, from the fields of a hook.

Our own form is one typed address: ``irc:#reports``, ``discord:channel:123``, ``discord:user:45``,
or a channel's name, ``#reports``. OpenClaw's is two fields, ``channel: "discord"`` and
``to: "channel:123"``; its ``channel: "last"`` is the swarm's own default here.
"""

from __future__ import annotations

from typing import Final

from bots.hooks.fields import Fields, bad
from bots.messages import DISCORD, IRC, Place, Target, TargetError

NETWORKS: Final = (IRC, DISCORD)
#: OpenClaw's word for "where somebody talked to you last"
LAST: Final = "last"
LONGEST: Final = 200


def address_in(fields: Fields, default: str) -> str:
    """The typed address, or the name of a channel; empty: the result is only in the answer.

    `default` is the swarm's `hooks.channel`.
    """
    deliver = fields.flag("deliver")
    channel, to = fields.text("channel", LONGEST), fields.text("to", LONGEST)
    if deliver is False:
        return ""
    if not channel and to:
        raise bad("to", "needs 'channel' beside it")
    if not channel and not deliver:
        return ""
    if not channel or channel.lower() == LAST:
        if not default:
            why = "needs a 'channel': this swarm has no default (hooks.channel in swarm.toml)"
            raise bad("channel" if channel else "deliver", why)
        return default
    return _of_two(channel.lower(), to) if to else _of_one(channel)


def _of_one(channel: str) -> str:
    if channel[:1] in {"#", "&"}:
        if len(channel) < 2 or any(c.isspace() for c in channel):
            raise bad("channel", "is no channel's name")
        return channel
    if channel.lower() in NETWORKS:
        raise bad("channel", f"needs 'to' beside it, or write it whole: {channel}:#reports")
    return _typed("channel", channel)


def _of_two(network: str, to: str) -> str:
    if network not in NETWORKS:
        raise bad("channel", f"{network!r} with 'to': this swarm is on {' and '.join(NETWORKS)}")
    return _typed("to", f"{network}:{to}")


def _typed(field: str, text: str) -> str:
    try:
        target = Target.parse(text)
    except TargetError as error:
        raise bad(field, f"is no address: {error}") from error
    if target.network not in NETWORKS:
        raise bad(field, f"is on {target.network!r}: this swarm is on {' and '.join(NETWORKS)}")
    by_id = target.network == DISCORD and target.name[:1] not in {"#", "&"}
    if by_id and not (target.name.isascii() and target.name.isdigit()):
        raise bad(field, "must have an id of Discord: discord:channel:123, discord:user:45")
    if target.place is (Place.NICK if target.network == DISCORD else Place.USER):
        raise bad(field, "must name a person as discord:user:45 or irc:nick:alice")
    if (
        target.network == IRC
        and target.place is Place.CHANNEL
        and target.name[:1] not in {"#", "&"}
    ):
        raise bad(field, "must name a channel of IRC as irc:#reports")
    if any(c.isspace() for c in target.name):
        raise bad(field, "has a blank in it")
    return str(target)
