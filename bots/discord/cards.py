"""Approval cards: what Discord shows of a question to people. Pure: a request in, a payload out.

Limits of embeds and components: https://discord.com/developers/docs/resources/message and
https://discord.com/developers/docs/components/reference.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from storage.requests import Request
from storage.tables import RequestState

Payload = dict[str, Any]

#: what the custom ids of all our components begin with, up to the first colon
PREFIX: Final = "parley"
#: custom id of the modal's text input
REASON: Final = "reason"
REASON_CHARACTERS: Final = 500
#: a person must act, done, no, over
_AMBER, _GREEN, _RED, _GREY = 0xE3B04F, 0x52C48D, 0xFF7B82, 0x8B95A4
_COLOURS: Final[Mapping[RequestState, int]] = {
    RequestState.PENDING: _AMBER,
    RequestState.APPROVED: _GREEN,
    RequestState.COMPLETED: _GREEN,
    RequestState.REJECTED: _RED,
    RequestState.EXPIRED: _GREY,
}
_ROW, _BUTTON = 1, 2
_SUCCESS, _DANGER = 3, 4
#: together below the 6,000 characters that all of an embed may have
_TITLE, _LABEL, _VALUE, _ABOUT, _FACTS = 256, 60, 300, 1_000, 11
_CUSTOM_ID: Final = re.compile(r"parley:approval:([1-9]\d{0,17}):(approve|reject|reason)")
#: where a stranger's words could hide something, or lead somewhere else than they say
_MARKUP: Final = re.compile(r"(?<=\])(?=\()|(?<=<)|(?<=\|)(?=\|)|(?<=~)(?=~)|(?<=`)(?=``)")


class Press(StrEnum):
    """What somebody did to a card."""

    APPROVE = "approve"
    REJECT = "reject"
    #: the modal behind Reject, filled in
    REASON = "reason"


@dataclass(frozen=True)
class Pressed:
    request_id: int
    press: Press


def custom_id(request_id: int, press: Press) -> str:
    """The same for ever: a button works whichever process is alive when it is pressed."""
    return f"{PREFIX}:approval:{request_id}:{press}"


def parse(text: str) -> Pressed | None:
    """What a custom id means; None for one that we did not make."""
    found = _CUSTOM_ID.fullmatch(text)
    return Pressed(int(found[1]), Press(found[2])) if found else None


def card(request: Request) -> Payload:
    """The message of a request in the state that it is in: fields of a Discord message."""
    embed: Payload = {
        "type": "rich",
        "title": plain(request.title)[:_TITLE],
        "description": _about(request)[:_ABOUT],
        "color": _COLOURS[request.state],
        "fields": [*_fields(request)],
        "footer": {"text": f"approval {request.code}"},
    }
    if request.state in {RequestState.PENDING, RequestState.EXPIRED}:
        embed["timestamp"] = request.expires_at.isoformat()
    return {
        "embeds": [embed],
        "components": [*_buttons(request)],
        "allowed_mentions": {"parse": []},
    }


def plain(text: str) -> str:
    """A stranger's words on one line, as words: no link behind others, no mention, no spoiler."""
    return _MARKUP.sub("\N{ZERO WIDTH SPACE}", " ".join(text.split()))


def sentence(request: Request) -> str:
    """What became of it, by whom and when; empty while it waits."""
    at = _clock(request.decided_at)
    by = plain(request.decided_by)
    note = f": {plain(request.note)}" if request.note else "."
    match request.state:
        case RequestState.PENDING:
            return ""
        case RequestState.APPROVED:
            return f"Approved by {by} at {at}{note}"
        case RequestState.COMPLETED:
            return f"Approved by {by} at {at}{note}\n{_sentence(request.outcome)}"
        case RequestState.REJECTED:
            return f"Rejected by {by} at {at}{note}"
        case RequestState.EXPIRED:
            return f"Rejected itself at {at}: nobody decided in time."


def reason_given(components: Iterable[Mapping[str, Any]]) -> str:
    """What was written into the modal, from a submitted modal's components (rows or labels)."""
    for outer in components:
        inner = [*(outer.get("components") or ()), outer.get("component") or {}]
        for one in inner:
            if one.get("custom_id") == REASON:
                return str(one.get("value") or "").strip()[:REASON_CHARACTERS]
    return ""


def _about(request: Request) -> str:
    if request.state is RequestState.PENDING:
        rejects = f"Rejects itself <t:{int(request.expires_at.timestamp())}:R>: silence is a no."
        if request.quorum == 1:
            return rejects
        so_far = plain(request.note) or "nobody said yes yet"
        return f"It takes {request.quorum} people: {so_far}.\n{rejects}"
    return sentence(request)


def _fields(request: Request) -> Iterator[Payload]:
    facts = (("Asked by", request.asked_by), *request.facts)
    for label, value in facts[:_FACTS]:
        yield {
            "name": plain(label)[:_LABEL] or "\N{HORIZONTAL ELLIPSIS}",
            "value": plain(value)[:_VALUE] or "\N{HORIZONTAL ELLIPSIS}",
            "inline": True,
        }


def _buttons(request: Request) -> Iterator[Payload]:
    if request.state is not RequestState.PENDING:
        return
    yield {
        "type": _ROW,
        "components": [
            _button("Approve", _SUCCESS, custom_id(request.id, Press.APPROVE)),
            _button("Reject", _DANGER, custom_id(request.id, Press.REJECT)),
        ],
    }


def _button(label: str, style: int, custom: str) -> Payload:
    return {"type": _BUTTON, "style": style, "label": label, "custom_id": custom}


def _sentence(text: str) -> str:
    words = plain(text)
    return f"{words[:1].upper()}{words[1:].rstrip('.')}." if words else ""


def _clock(at: datetime | None) -> str:
    return f"{at:%H:%M} UTC" if at else "an unknown time"
