"""The rules of intents at IDENTIFY (Discord's documentation, "Gateway", "Gateway Intents")."""

from __future__ import annotations

from collections.abc import Collection
from functools import reduce
from operator import or_

from bots.sandbox.events import Intent

#: all bits that an IDENTIFY may name
_KNOWN = reduce(or_, Intent)
#: the privileged ones, by the name that the configuration uses
PRIVILEGED = {
    "members": Intent.GUILD_MEMBERS,
    "presences": Intent.GUILD_PRESENCES,
    "message_content": Intent.MESSAGE_CONTENT,
}


def parse(value: object) -> Intent | None:
    """The intents that `value` of an IDENTIFY names; None if it is no set of known bits."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        return None
    if value & ~_KNOWN.value:
        return None
    return Intent(value)


def forbidden(wanted: Intent, allowed: Collection[str]) -> Intent:
    """Privileged bits of `wanted` that are not among the names `allowed`."""
    withheld = Intent(0)
    for name, intent in PRIVILEGED.items():
        if name not in allowed:
            withheld |= intent
    return wanted & withheld


#: privileged intents as flags of an unverified application ("Application Flags", the limited ones)
_APPLICATION_FLAGS = {"presences": 1 << 13, "members": 1 << 15, "message_content": 1 << 19}


def application_flags(allowed: Collection[str]) -> int:
    """What an application's flags say of the privileged intents that it may ask for."""
    return sum(flag for name, flag in _APPLICATION_FLAGS.items() if name in allowed)
