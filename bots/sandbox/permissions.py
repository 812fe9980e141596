"""Who may do what where: roles, then a channel's overwrites (Discord, "Permissions").

Pure: values in, a bit set out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import IntFlag

from bots.sandbox.model import Overwrite


class Permission(IntFlag):
    """The permissions of a text guild, by Discord's bits."""

    KICK_MEMBERS = 1 << 1
    BAN_MEMBERS = 1 << 2
    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    VIEW_AUDIT_LOG = 1 << 7
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    SEND_TTS_MESSAGES = 1 << 12
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_EXTERNAL_EMOJIS = 1 << 18
    CHANGE_NICKNAME = 1 << 26
    MANAGE_NICKNAMES = 1 << 27
    MANAGE_ROLES = 1 << 28
    MANAGE_WEBHOOKS = 1 << 29
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    CREATE_PRIVATE_THREADS = 1 << 36
    SEND_MESSAGES_IN_THREADS = 1 << 38
    MODERATE_MEMBERS = 1 << 40
    PIN_MESSAGES = 1 << 51


P = Permission

EVERYTHING = Permission((1 << 52) - 1)
#: what everybody in the guild may do unless a channel says otherwise
EVERYONE = (
    P.VIEW_CHANNEL
    | P.SEND_MESSAGES
    | P.READ_MESSAGE_HISTORY
    | P.ADD_REACTIONS
    | P.ATTACH_FILES
    | P.EMBED_LINKS
    | P.USE_EXTERNAL_EMOJIS
    | P.USE_APPLICATION_COMMANDS
    | P.CHANGE_NICKNAME
    | P.CREATE_PUBLIC_THREADS
    | P.CREATE_PRIVATE_THREADS
    | P.SEND_MESSAGES_IN_THREADS
)
#: what the bots' role adds: they lay out channels and close threads
AGENTS = P.MANAGE_CHANNELS | P.MANAGE_THREADS
#: what two people may do in their DM
DIRECT = (
    P.VIEW_CHANNEL
    | P.SEND_MESSAGES
    | P.READ_MESSAGE_HISTORY
    | P.ADD_REACTIONS
    | P.ATTACH_FILES
    | P.EMBED_LINKS
    | P.USE_EXTERNAL_EMOJIS
    | P.USE_APPLICATION_COMMANDS
    | P.PIN_MESSAGES
)
#: what nobody has who may not send
_NEED_SEND = P.MENTION_EVERYONE | P.SEND_TTS_MESSAGES | P.ATTACH_FILES | P.EMBED_LINKS


def in_guild(roles: Iterable[int], *, owner: bool = False) -> Permission:
    """The union of what the roles (as bits, @everyone's among them) allow."""
    bits = Permission(0)
    for role in roles:
        bits |= Permission(role)
    return EVERYTHING if owner or P.ADMINISTRATOR in bits else bits


def in_channel(
    base: Permission,
    overwrites: Iterable[Overwrite],
    *,
    everyone_id: int,
    role_ids: Collection[int],
    user_id: int,
) -> Permission:
    """`base` after the channel's overwrites: @everyone's, then the roles' together, then one's own.

    Without VIEW_CHANNEL nothing is left; without SEND_MESSAGES nothing that needs it.
    """
    if P.ADMINISTRATOR in base:
        return EVERYTHING
    by_id = {(o.type, o.id): o for o in overwrites}
    bits = int(base)
    if everyone := by_id.get((0, everyone_id)):
        bits = bits & ~everyone.deny | everyone.allow
    of_roles = [o for (kind, id_), o in by_id.items() if kind == 0 and id_ in role_ids]
    deny = allow = 0
    for overwrite in of_roles:
        deny |= overwrite.deny
        allow |= overwrite.allow
    bits = bits & ~deny | allow
    if own := by_id.get((1, user_id)):
        bits = bits & ~own.deny | own.allow
    return _implied(Permission(bits))


def _implied(bits: Permission) -> Permission:
    if P.VIEW_CHANNEL not in bits:
        return Permission(0)
    if P.SEND_MESSAGES not in bits:
        return bits & ~_NEED_SEND
    return bits
