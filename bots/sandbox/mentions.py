"""Whom a message calls, after what its author allowed (Discord, "Allowed Mentions").

Pure: text in, ids out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_USER = re.compile(r"<@!?(\d{1,20})>")
_ROLE = re.compile(r"<@&(\d{1,20})>")
_EVERYONE = re.compile(r"@(?:everyone|here)\b")


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """Which mentions call somebody. The default is what a message without the field means."""

    everyone: bool = True
    #: None: whoever is named
    users: frozenset[int] | None = None
    roles: frozenset[int] | None = None
    replied_user: bool = True


@dataclass(frozen=True, kw_only=True)
class Called:
    """Ids in the order of the text."""

    users: tuple[int, ...]
    roles: tuple[int, ...]
    everyone: bool


def called(content: str, allowed: Allowed) -> Called:
    """Whom `content` calls."""

    def pick(pattern: re.Pattern[str], only: frozenset[int] | None) -> tuple[int, ...]:
        found = dict.fromkeys(int(n) for n in pattern.findall(content))
        return tuple(n for n in found if only is None or n in only)

    return Called(
        users=pick(_USER, allowed.users),
        roles=pick(_ROLE, allowed.roles),
        everyone=allowed.everyone and bool(_EVERYONE.search(content)),
    )
