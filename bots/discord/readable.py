"""Discord's markup as people read it: mentions become names. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

_MARKUP = re.compile(
    r"<(?:@!?(?P<user>\d{1,20})"
    r"|@&(?P<role>\d{1,20})"
    r"|\#(?P<channel>\d{1,20})"
    r"|a?:(?P<emoji>\w{1,64}):\d{1,20}"
    r"|/(?P<command>[^:<>\n]{1,100}):\d{1,20})>"
)
#: a mention that is followed by one of these is still read as one
_ENDS = frozenset(",:;!?.&")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f\[\]]+")


def readable(
    content: str,
    *,
    agents: Mapping[str, str],
    users: Mapping[str, str],
    roles: Mapping[str, str],
    channels: Mapping[str, str],
) -> str:
    """`content` with names in the place of ids.

    All four map an id to a name, channels without their ``#``. A mention of an agent becomes
    ``@agent`` and stands alone, however it was glued to its neighbours: it addresses that agent.
    """

    def name(found: re.Match[str]) -> str:
        kind, value = str(found.lastgroup), found.group(str(found.lastgroup))
        if kind == "user":
            agent = agents.get(value)
            if agent is not None:
                return _alone(f"@{agent}", found)
            return _nobody(users.get(value, "somebody"), agents)
        if kind == "role":
            return _nobody(roles.get(value, "role"), agents)
        if kind == "channel":
            return f"#{channels.get(value, 'unknown-channel')}"
        return f":{value}:" if kind == "emoji" else f"/{value}"

    return _MARKUP.sub(name, content)


def stranger(name: str, agents: Mapping[str, str]) -> str:
    """`name` of somebody who is no agent, told apart from an agent that is called so."""
    taken = {agent.lower() for agent in agents.values()}
    return f"~{name}" if name.strip().lower() in taken else name


def without_addresses(text: str, agents: Mapping[str, str]) -> str:
    """`text` as data: ``@agent`` in it addresses nobody any more, though it looks the same."""
    names = "|".join(re.escape(name) for name in agents.values())
    return re.sub(rf"@(?={names})", "@\u200b", text, flags=re.IGNORECASE) if names else text


def one_line(name: str) -> str:
    """A file's or sticker's name that cannot pass for anything but a name."""
    return _CONTROLS.sub(" ", name).strip()[:100] or "unnamed"


def size(count: int) -> str:
    """Bytes as people read them: ``812 B``, ``1.2 kB``."""
    if count < 1_000:
        return f"{count} B"
    return f"{count / 1_000:.1f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def _nobody(name: str, agents: Mapping[str, str]) -> str:
    """A mention of somebody who is no agent, though the name may begin with an agent's."""
    return without_addresses(f"@{stranger(name, agents)}", agents)


def _alone(mention: str, found: re.Match[str]) -> str:
    before = found.string[: found.start()][-1:]
    after = found.string[found.end() :][:1]
    left = "" if not before or before.isspace() else " "
    right = "" if not after or after.isspace() or after in _ENDS else " "
    return f"{left}{mention}{right}"
