"""How the transport is doing, and the sentences that say how a person mends it."""

from __future__ import annotations

from collections.abc import Sequence

from bots.discord import links

INTENTS_REFUSED = 4014
TOKEN_REFUSED = 4004


def wrong_token(agent: str) -> str:
    return (
        f"Discord does not accept {agent}'s token: make a new one at {links.PORTAL} "
        "(Bot, Reset Token) and restart."
    )


def closed_for_good(code: int, agent: str, application_id: int | None) -> str:
    """Why no other connection is tried after this close code."""
    page = links.bot_page(application_id) if application_id else links.PORTAL
    if code == INTENTS_REFUSED:
        return (
            "Discord refuses the Message Content intent: switch on "
            f'"Message Content Intent" at {page} and restart.'
        )
    if code == TOKEN_REFUSED:
        return wrong_token(agent)
    return f"Discord refuses the connection for good (close code {code}); see {page}."


def outside(missing: Sequence[str], *, has_guild: bool, application_id: int | None) -> str:
    """What it cannot see, with the link that lets it in; empty when it sees all."""
    if has_guild and not missing:
        return ""
    what = f"cannot see {', '.join(missing)}" if has_guild else "is in no guild"
    link = links.invitation(application_id) if application_id else links.PORTAL
    return f"It {what}; let it in: {link}"


def many_guilds(guilds: Sequence[tuple[int, str]], served: str) -> str:
    """Which of several guilds (ids and names) is served; empty when there is no choice."""
    if len(guilds) < 2:
        return ""
    names = " and ".join(name for _, name in guilds)
    return (
        f"It is in {len(guilds)} guilds ({names}) and serves {served} alone: name yours in "
        f"swarm.toml, discord.guild = {links.one_of(number for number, _ in guilds)}."
    )


def out_of_identifies(most: int, wait_s: float) -> str:
    return (
        f"It has identified {most} times within a day and waits {wait_s / 60:.0f} min, "
        "for Discord resets the token of who goes on."
    )
