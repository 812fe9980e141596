"""Where a person mends what Discord refuses: the pages of its developer portal."""

from __future__ import annotations

from collections.abc import Iterable

SEE = "View Channels"
#: what the swarm's bots need in a guild, by Discord's names and bits
#: (https://discord.com/developers/docs/topics/permissions)
PERMISSIONS = {
    SEE: 1 << 10,
    "Send Messages": 1 << 11,
    "Send Messages in Threads": 1 << 38,
    "Create Public Threads": 1 << 35,
    "Read Message History": 1 << 16,
    "Add Reactions": 1 << 6,
    "Attach Files": 1 << 15,
}
#: what making channels takes besides: the captain's bot, and only for `run.py guild apply`
MANAGE_CHANNELS = 1 << 4
PORTAL = "https://discord.com/developers/applications"


def bot_page(application_id: int | str) -> str:
    """The page with the token and the switches of the privileged intents."""
    return f"{PORTAL}/{application_id}/bot"


def invitation(application_id: int | str, *, manage_channels: bool = False) -> str:
    """Opens the dialogue that brings the bot into a guild, or gives it what it lacks there."""
    bits = sum(PERMISSIONS.values()) + (MANAGE_CHANNELS if manage_channels else 0)
    return (
        f"https://discord.com/oauth2/authorize?client_id={application_id}"
        f"&scope=bot+applications.commands&permissions={bits}"
    )


def lacking(bits: int) -> list[str]:
    """Names of what the bots need and `bits` do not grant."""
    return [name for name, bit in PERMISSIONS.items() if not bits & bit]


def channel(guild: int, channel: int) -> str:
    """Opens the channel, and with it the way to its settings."""
    return f"https://discord.com/channels/{guild}/{channel}"


def one_of(guilds: Iterable[int | str]) -> str:
    """Ids of guilds as values for ``discord.guild``, one of which is to be chosen."""
    return " or ".join(f'"{guild}"' for guild in guilds)
