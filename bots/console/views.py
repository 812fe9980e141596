"""What the templates show, taken from the model: lists at both sides, and one message. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from markupsafe import Markup

from bots.console import icons, markdown, reactions, reducer
from bots.console.model import Channel, Guild, Kind, Member, Payload
from bots.console.swarm import Swarm

#: presence → the shape that shows it
SHAPES = {"online": "ready", "idle": "degraded", "dnd": "killed"}
_LOADING = 1 << 7
_REPLY, _COMMAND, _THREAD_STARTER, _THREAD_CREATED = 19, 20, 21, 18
_ORDINARY = frozenset({0, _REPLY, _COMMAND, _THREAD_STARTER})


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


# --- members ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MemberRow:
    face: Face
    about: str
    #: what stands at the right: how soon a kill was confirmed
    figure: str = ""


@dataclass(frozen=True, slots=True)
class MemberGroup:
    title: str
    shape: str
    rows: Sequence[MemberRow]


def members(guild: Guild, swarm: Swarm, operators: frozenset[str]) -> list[MemberGroup]:
    """People first; then agents by state, worst last, as the picture has it."""
    here = [m for m in guild.members.values() if m.status != "gone"]
    here.sort(key=lambda m: m.name.lower())
    people = [m for m in here if not m.bot]
    agents = [m for m in here if m.bot]
    groups = [("People", "", people)]
    stopped = swarm.kill is not None
    for title, shape in (
        ("Ready", "ready"),
        ("Degraded", "degraded"),
        ("Stopped" if stopped else "Killed", "killed"),
        ("Not connected", "away"),
    ):
        groups.append((title, shape, [m for m in agents if face(m).shape == shape]))
    return [
        MemberGroup(title, shape, [_row(m, swarm, operators) for m in inside])
        for title, shape, inside in groups
        if inside
    ]


def _row(member: Member, swarm: Swarm, operators: frozenset[str]) -> MemberRow:
    if not member.bot:
        about = "operator" if member.name in operators else "guest"
        about += "" if member.status != "offline" else " · away"
        return MemberRow(face(member), about)
    agent = swarm.agent(member.name)
    latch = swarm.held(member.name)
    ms = swarm.confirmed_ms.get(member.name)
    figure = f"{ms:.0f} ms" if ms is not None else ""
    if latch is not None and agent is not None and swarm.known:
        about = f"by {latch.by}" if agent.confirmed else "has not confirmed"
    elif agent is not None and agent.reason and swarm.known:
        about = agent.reason
    else:
        about = member.activity or (agent.state if agent and swarm.known else "agent")
    return MemberRow(face(member), about, figure)


# --- channels -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ChannelRow:
    id: int
    title: str
    icon: str
    unread: bool
    mentions: int
    waiting: int
    face: Face | None = None
    threads: Sequence[ChannelRow] = ()


@dataclass(frozen=True, slots=True)
class ChannelGroup:
    title: str
    rows: Sequence[ChannelRow]


def channels(guild: Guild, now: datetime) -> list[ChannelGroup]:
    """Categories with their channels and threads; then the direct messages."""
    groups = [
        ChannelGroup(head.name if head else "", [_channel(guild, c, now) for c in inside])
        for head, inside in guild.categories()
    ]
    direct = [_channel(guild, c, now) for c in guild.dms()]
    return [*groups, ChannelGroup("Direct messages", direct)] if direct else groups


def _channel(guild: Guild, channel: Channel, now: datetime) -> ChannelRow:
    other = channel.recipients[0] if channel.is_dm and channel.recipients else 0
    return ChannelRow(
        id=channel.id,
        title=guild.title_of(channel),
        icon="thread" if channel.is_thread else icons.of_channel(channel.name),
        unread=channel.unread,
        mentions=channel.mentions,
        waiting=sum(1 for m in channel.messages.values() if waits(m, now)),
        face=face_of(guild, other) if other else None,
        threads=[_channel(guild, t, now) for t in guild.threads_of(channel.id)],
    )


# --- messages -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """An approval: an embed whose footer begins with ``approval``, and the buttons below it."""

    label: str
    title: str
    about: Markup
    facts: Sequence[tuple[str, Markup]]
    begins: str
    #: when it rejects itself, ISO 8601; empty: never
    expires: str
    expired: bool
    #: somebody can still decide
    open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView:
    """One message, ready to be shown."""

    id: int
    channel_id: int
    author: Face
    at: str
    edited: bool
    html: Markup
    #: the text as its author would type it, for editing
    source: str
    mine: bool
    #: may be answered, edited and so on: it is nobody's notice
    ordinary: bool
    private: bool
    loading: bool
    names_me: bool
    command: str = ""
    quote: Face | None = None
    quote_id: int = 0
    quote_text: str = ""
    card: Card | None = None
    embeds: Sequence[Mapping[str, Any]] = ()
    attachments: Sequence[Mapping[str, Any]] = ()
    components: Sequence[Payload] = ()
    reactions: Sequence[Mapping[str, Any]] = ()
    thread: Channel | None = None
    live: str = field(default="")


def message(guild: Guild, one: Payload, now: datetime) -> MessageView:
    """`one` as this person sees it."""
    known, text = names(guild), str(one.get("content") or "")
    kind, flags = int(one.get("type") or 0), int(one.get("flags") or 0)
    author = guild.members.get(int(one["author"]["id"]))
    shown = face(author) if author else face_of(guild, int(one["author"]["id"]))
    quoted = one.get("referenced_message") if kind in (_REPLY, _THREAD_STARTER) else None
    embeds = list(one.get("embeds") or ())
    card = next((c for c in (_card(e, one, known, now) for e in embeds) if c), None)
    if kind == _THREAD_CREATED:
        text = f"opened the thread **{text}**"
    used: Mapping[str, Any] = one.get("interaction_metadata") or {}
    thread = guild.channels.get(int(one["id"]))
    return MessageView(
        id=int(one["id"]),
        channel_id=int(one["channel_id"]),
        author=shown,
        at=str(one.get("timestamp") or ""),
        edited=bool(one.get("edited_timestamp")),
        html=Markup(markdown.render(text, known)),  # noqa: S704 - render escapes first
        source=typed(text, guild),
        mine=int(one["author"]["id"]) == guild.me,
        ordinary=kind in _ORDINARY,
        private=reducer.is_private(one),
        loading=bool(flags & _LOADING),
        names_me=reducer.names(one, guild.me),
        command=_used(used, guild) if kind == _COMMAND else "",
        quote=face_of(guild, int(quoted["author"]["id"])) if quoted else None,
        quote_id=int(quoted["id"]) if quoted else 0,
        quote_text=markdown.plain(str(quoted.get("content") or "…"), known)[:160] if quoted else "",
        card=card,
        embeds=[_embed(e, known) for e in embeds if not _is_approval(e)],
        attachments=[_attachment(a) for a in one.get("attachments") or ()],
        components=list(one.get("components") or ()),
        reactions=[_reaction(r) for r in one.get("reactions") or ()],
        thread=thread if thread and thread.is_thread else None,
        live=markdown.plain(text, known)[:200],
    )


def typed(text: str, guild: Guild) -> str:
    """A message's text with names instead of ids, as people type them."""
    return markdown.typed(text, names(guild))


def _used(used: Mapping[str, Any], guild: Guild) -> str:
    who = guild.name_of(int(used["user"]["id"])) if used.get("user") else "somebody"
    return f"{who} used /{used['name']}" if used.get("name") else ""


def _is_approval(embed: Payload) -> bool:
    footer = str((embed.get("footer") or {}).get("text") or "")
    return footer.lower().startswith("approval")


def waits(one: Payload, now: datetime) -> bool:
    """Whether this message is an approval that somebody can still give."""
    return any(
        _is_approval(e) and not _expired(e, now) and _has_buttons(one.get("components") or ())
        for e in one.get("embeds") or ()
    )


def _has_buttons(components: Iterable[Payload]) -> bool:
    rows = (c for row in components for c in row.get("components") or ())
    return any(c.get("custom_id") and not c.get("disabled") for c in rows)


def _expired(embed: Payload, now: datetime) -> bool:
    stamp = str(embed.get("timestamp") or "")
    try:
        return bool(stamp) and datetime.fromisoformat(stamp) <= now
    except (ValueError, TypeError):
        return False


def _card(embed: Payload, one: Payload, known: markdown.Names, now: datetime) -> Card | None:
    if not _is_approval(embed):
        return None
    footer = str(embed["footer"]["text"])
    return Card(
        label=footer[len("approval") :].strip(" :·-"),
        title=str(embed.get("title") or "Approval"),
        about=_marked(embed.get("description"), known),
        facts=[(str(f["name"]), _marked(f["value"], known)) for f in embed.get("fields") or ()],
        begins=str(one.get("timestamp") or ""),
        expires=str(embed.get("timestamp") or ""),
        expired=_expired(embed, now),
        open=_has_buttons(one.get("components") or ()),
    )


def _marked(text: Any, known: markdown.Names) -> Markup:
    return Markup(markdown.render(str(text or ""), known))  # noqa: S704 - render escapes first


def _embed(embed: Payload, known: markdown.Names) -> Mapping[str, Any]:
    url = str(embed.get("url") or "")
    return {
        "title": str(embed.get("title") or ""),
        "url": url if url.startswith(("https://", "http://")) else "",
        "author": str((embed.get("author") or {}).get("name") or ""),
        "html": _marked(embed.get("description"), known),
        "fields": [
            {"name": str(f["name"]), "html": _marked(f["value"], known), "inline": f.get("inline")}
            for f in embed.get("fields") or ()
        ],
        "footer": str((embed.get("footer") or {}).get("text") or ""),
        "timestamp": str(embed.get("timestamp") or ""),
    }


def _attachment(one: Payload) -> Mapping[str, Any]:
    """With an address of ours: the page asks nobody else for files."""
    path = str(one.get("url") or "").partition("/attachments/")[2]
    kind = str(one.get("content_type") or "")
    size = int(one.get("size") or 0)
    return {
        "name": str(one.get("filename") or "file"),
        "href": f"/attachments/{path}" if path else "",
        "image": kind.partition(";")[0] in _IMAGES,
        "size": f"{size / 1_000_000:.1f} MB" if size >= 100_000 else f"{size / 1_000:.1f} kB",
    }


_IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


def _reaction(one: Payload) -> Mapping[str, Any]:
    emoji = one["emoji"]
    name = str(emoji.get("name") or "?")
    return {
        "key": reactions.key_of(emoji),
        "text": f":{name}:" if emoji.get("id") else name,
        "icon": icons.EMOJI.get(name, ""),
        "count": int(one.get("count") or 0),
        "mine": bool(one.get("me")),
    }


def head(guild: Guild, channel: Channel) -> Mapping[str, Any]:
    """The line above the messages."""
    parent = guild.channels.get(channel.parent_id) if channel.is_thread else None
    listening = [
        face(m) for m in guild.members.values() if m.bot and m.status not in ("gone", "offline")
    ]
    other = guild.members.get(channel.recipients[0]) if channel.recipients else None
    return {
        "id": channel.id,
        "title": guild.title_of(channel),
        "topic": channel.topic or (other.activity if other else ""),
        "icon": "thread" if channel.is_thread else icons.of_channel(channel.name),
        "face": face(other) if other else None,
        "parent": parent,
        "listening": [] if channel.kind == Kind.DM else listening,
        "locked": channel.locked,
    }
