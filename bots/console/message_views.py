"""One message as the page shows it: text, card, embeds, files, reactions, thread. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup

from bots.console import growing, icons, markdown, reactions
from bots.console.faces import Face, face, face_of, names
from bots.console.model import Channel, Guild, Payload, calls, is_private

#: shown in the page; everything else is offered as a file, whatever it says that it is
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_LOADING = 1 << 7
_REPLY, _COMMAND, _THREAD_STARTER, _THREAD_CREATED = 19, 20, 21, 18
#: the mark of an unfinished answer, and of a changed one
_MORE = '<span class="more">…</span>'
_EDITED = '<span class="edited">(edited)</span>'
_ORDINARY = frozenset({0, _REPLY, _COMMAND, _THREAD_STARTER})


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


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """A thread as the message shows it on which it was opened."""

    id: int
    name: str
    count: int
    faces: Sequence[Face]
    #: who said the last thing, and when; empty before anybody did
    last_by: str
    last_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView:
    """One message, ready to be shown."""

    id: int
    channel_id: int
    #: the channel's name
    place: str
    author: Face
    at: str
    #: more of it is to come
    grows: bool
    html: Markup
    #: the text as its author would type it, for editing
    source: str
    mine: bool
    #: may be answered, edited and so on: it is nobody's notice
    ordinary: bool
    private: bool
    #: a scripted reply: no model was called
    offline: bool
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
    thread: ThreadRow | None = None
    live: str = ""


def message(guild: Guild, one: Payload, now: datetime) -> MessageView:
    """`one` as this person sees it."""
    known = names(guild)
    kind, flags = int(one.get("type") or 0), int(one.get("flags") or 0)
    author = guild.members.get(int(one["author"]["id"]))
    shown = face(author) if author else face_of(guild, int(one["author"]["id"]))
    text, offline = _unlabelled(str(one.get("content") or ""), shown)
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
        place=known.channel(int(one["channel_id"])),
        author=shown,
        at=str(one.get("timestamp") or ""),
        grows=growing.grows(guild.channels[int(one["channel_id"])], one, now),
        html=_html(one, text, known),
        source=markdown.typed(text, known),
        mine=int(one["author"]["id"]) == guild.me,
        ordinary=kind in _ORDINARY,
        private=is_private(one),
        offline=offline,
        loading=bool(flags & _LOADING),
        names_me=calls(one, guild.me),
        command=_used(used, guild) if kind == _COMMAND else "",
        quote=face_of(guild, int(quoted["author"]["id"])) if quoted else None,
        quote_id=int(quoted["id"]) if quoted else 0,
        quote_text=markdown.plain(str(quoted.get("content") or "…"), known)[:160] if quoted else "",
        card=card,
        embeds=[_embed(e, known) for e in embeds if not _is_approval(e)],
        attachments=[_attachment(a) for a in one.get("attachments") or ()],
        components=list(one.get("components") or ()),
        reactions=[_reaction(r) for r in one.get("reactions") or ()],
        thread=_thread(guild, thread) if thread and thread.is_thread else None,
        live=markdown.plain(text, known)[:200],
    )


def _html(one: Payload, text: str, known: markdown.Names) -> Markup:
    """What an agent has not finished is not called edited: it never said anything else."""
    if growing.is_unfinished(one):
        html = markdown.begun(growing.without_mark(text), known)
        return Markup(markdown.ended(html, _MORE, in_code=True))  # noqa: S704 - render escapes first
    html = markdown.render(text, known)
    if html and one.get("edited_timestamp"):
        html = markdown.ended(html, _EDITED, in_code=False)
    return Markup(html)  # noqa: S704 - render escapes first


def _unlabelled(text: str, author: Face) -> tuple[str, bool]:
    """The text without an agent's own label that no model was called, and whether it had one."""
    if author.bot and text.startswith(growing.OFFLINE):
        return text[len(growing.OFFLINE) :].lstrip(), True
    return text, False


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
        about=marked(embed.get("description"), known),
        facts=[(str(f["name"]), marked(f["value"], known)) for f in embed.get("fields") or ()],
        begins=str(one.get("timestamp") or ""),
        expires=str(embed.get("timestamp") or ""),
        expired=_expired(embed, now),
        open=_has_buttons(one.get("components") or ()),
    )


def marked(text: Any, known: markdown.Names) -> Markup:
    """Discord's markdown as HTML; nothing for None."""
    return Markup(markdown.render(str(text or ""), known))  # noqa: S704 - render escapes first


def _thread(guild: Guild, thread: Channel) -> ThreadRow:
    said = [m for m in thread.messages.values() if int(m.get("type") or 0) != _THREAD_STARTER]
    writers = dict.fromkeys(int(m["author"]["id"]) for m in reversed(said))
    return ThreadRow(
        id=thread.id,
        name=thread.name,
        count=max(thread.message_count, len(said)),
        faces=[face_of(guild, w) for w in list(writers)[:3]],
        last_by=guild.name_of(int(said[-1]["author"]["id"])) if said else "",
        last_at=str(said[-1].get("timestamp") or "") if said else "",
    )


def _embed(embed: Payload, known: markdown.Names) -> Mapping[str, Any]:
    url = str(embed.get("url") or "")
    return {
        "title": str(embed.get("title") or ""),
        "url": url if url.startswith(("https://", "http://")) else "",
        "author": str((embed.get("author") or {}).get("name") or ""),
        "html": marked(embed.get("description"), known),
        "fields": [
            {"name": str(f["name"]), "html": marked(f["value"], known), "inline": f.get("inline")}
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
        "image": kind.partition(";")[0] in PICTURES,
        "size": f"{size / 1_000_000:.1f} MB" if size >= 100_000 else f"{size / 1_000:.1f} kB",
    }


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
