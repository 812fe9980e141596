"""Members and the roles that they hold."""

from __future__ import annotations

from bots.sandbox import payloads
from bots.sandbox.events import Event, Intent
from bots.sandbox.model import Role, User
from bots.sandbox.world import World


def changed(world: World, member: User) -> None:
    """Tell that nick, name, avatar or roles of `member` are others now."""
    # who is meant hears it without the intent too ("Gateway", "Gateway Intents", "Caveats")
    others = frozenset(world.users) - {member.id}
    for to, intent in ((frozenset({member.id}), None), (others, Intent.GUILD_MEMBERS)):
        world.publish(
            Event(
                name="GUILD_MEMBER_UPDATE",
                payload=lambda _: world.member_payload(member) | {"guild_id": str(world.guild_id)},
                to=to,
                intent=intent,
            )
        )


def add_role(world: World, role: Role) -> None:
    world.roles[role.id] = role
    told = {"guild_id": str(world.guild_id), "role": payloads.role(role)}
    world.publish(Event(name="GUILD_ROLE_CREATE", payload=lambda _: told, intent=Intent.GUILDS))


def delete_role(world: World, role: Role) -> None:
    """Remove `role` from the guild and from whoever holds it."""
    del world.roles[role.id]
    for user in world.users.values():
        if role.id in user.role_ids:
            user.role_ids.remove(role.id)
    told = {"guild_id": str(world.guild_id), "role_id": str(role.id)}
    world.publish(Event(name="GUILD_ROLE_DELETE", payload=lambda _: told, intent=Intent.GUILDS))
