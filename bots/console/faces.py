"""Somebody as an avatar shows them, and names in place of ids. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from bots.console import icons, markdown
from bots.console.model import Guild, Member

#: presence → the shape that shows it
SHAPES = {"online": "ready", "idle": "degraded", "dnd": "killed"}


@dataclass(frozen=True, slots=True)
class Face:
    """Somebody as an avatar shows them."""

    id: int
    name: str
    bot: bool
    icon: str
    initials: str
    #: address of the picture of an agent that we have no icon for
    picture: str
    shape: str


def face(member: Member) -> Face:
    drawn = icons.of_agent(member.name) if member.bot else "person"
    picture = ""
    if member.bot and drawn == "agent" and member.avatar:
        picture = f"/avatars/{member.id}/{member.avatar}.png"
    words = [w for w in member.name.replace("-", " ").replace("_", " ").split() if w]
    letters = "".join(w[0] for w in words[:2]) if len(words) > 1 else member.name[:2]
    return Face(
        id=member.id,
        name=member.name,
        bot=member.bot,
        icon=drawn,
        initials=letters.upper(),
        picture=picture,
        shape=SHAPES.get(member.status, "away"),
    )


def face_of(guild: Guild, user_id: int) -> Face:
    return face(guild.members.get(user_id) or Member(id=user_id, name=str(user_id)))


def names(guild: Guild) -> markdown.Names:
    """How mentions are shown."""

    def user(number: int) -> str:
        found = guild.members.get(number)
        return found.name if found else ""

    def channel(number: int) -> str:
        found = guild.channels.get(number)
        return guild.title_of(found) if found else ""

    return markdown.Names(user, channel, lambda number: guild.roles.get(number, ""), guild.me)
