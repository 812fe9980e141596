"""What a session is told when it begins, and when it asks who is there: payloads only.

Discord's documentation, "Gateway Events": "Ready", "Request Guild Members", "Guild Members Chunk".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bots.sandbox.events import Intent
from bots.sandbox.session import Session

API_VERSION = 10
_CHUNK = 1_000
#: by query, and by ids
_MOST_CHOSEN = 100
_NONCE_BYTES = 32


def ready(
    session: Session, user: dict[str, Any], *, guild_id: int, flags: int, url: str
) -> dict[str, Any]:
    """READY. `url` is where this session is resumed; `flags` are the application's."""
    payload = {
        "v": API_VERSION,
        "user": user,
        "guilds": [{"id": str(guild_id), "unavailable": True}],
        "private_channels": [],
        "session_id": session.id,
        "session_type": "normal",
        "resume_gateway_url": url,
    }
    if session.user.bot:
        payload["application"] = {"id": str(session.user.id), "flags": flags}
    return payload


def member_chunks(
    request: dict[str, Any], guild: dict[str, Any], intents: Intent | None
) -> Iterator[dict[str, Any]]:
    """The GUILD_MEMBERS_CHUNKs that answer `request`; none where an intent is missing.

    `guild` is a whole GUILD_CREATE with all members and presences. An empty query, whatever its
    limit, needs GUILD_MEMBERS; presences need GUILD_PRESENCES.
    """
    found, missing = _asked_for(request, guild["members"])
    whole = "user_ids" not in request and not request.get("query")
    if whole and intents is not None and Intent.GUILD_MEMBERS not in intents:
        return
    with_presences = bool(request.get("presences")) and (
        intents is None or Intent.GUILD_PRESENCES in intents
    )
    chunks = [found[i : i + _CHUNK] for i in range(0, len(found), _CHUNK)] or [[]]
    for index, members in enumerate(chunks):
        chunk = {
            "guild_id": guild["id"],
            "members": members,
            "chunk_index": index,
            "chunk_count": len(chunks),
            "not_found": missing if index == 0 else [],
        }
        if with_presences:
            ids = {m["user"]["id"] for m in members}
            chunk["presences"] = [p for p in guild["presences"] if p["user"]["id"] in ids]
        nonce = request.get("nonce")
        if isinstance(nonce, str) and len(nonce.encode()) <= _NONCE_BYTES:
            chunk["nonce"] = nonce
        yield chunk


def _asked_for(
    request: dict[str, Any], members: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[str]]:
    """The members that the request names, and the ids that nobody has."""
    if "user_ids" in request:
        named = request["user_ids"]
        ids = [str(i) for i in (named if isinstance(named, list) else [named])][:_MOST_CHOSEN]
        by_id = {m["user"]["id"]: m for m in members}
        return [by_id[i] for i in ids if i in by_id], [i for i in ids if i not in by_id]
    prefix = str(request.get("query") or "").casefold()
    limit = request.get("limit")
    limit = limit if isinstance(limit, int) and limit > 0 else 0
    if not prefix and not limit:
        return members, []
    found = [m for m in members if any(n.startswith(prefix) for n in _names(m))]
    return found[: min(limit or _MOST_CHOSEN, _MOST_CHOSEN)], []


def _names(member: dict[str, Any]) -> Iterator[str]:
    for name in (member.get("nick"), member["user"].get("username")):
        if name:
            yield str(name).casefold()
