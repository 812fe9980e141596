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
from itertools import islice
from typing import Any, Final

from bots.control.request_words import facts_of
from storage.requests import Request
from storage.tables import RequestState

Payload = dict[str, Any]

#: what the custom ids of all our components begin with, up to the first colon
PREFIX: Final = "parley"
#: custom ids of the modals' text inputs
REASON: Final = "reason"
COST: Final = "cost"
RETURN: Final = "return"
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
_TITLE, _LABEL, _VALUE, _ABOUT, _FACTS = 256, 60, 800, 1_800, 14
#: characters of a value that stands beside others
_INLINE: Final = 60
#: characters of the fields together
_FIELDS: Final = 3_500
_CUSTOM_ID: Final = re.compile(
    r"parley:approval:([1-9]\d{0,17}):(approve|reject|reason|complete|bill)"
)
#: where a stranger's words could hide something, or lead somewhere else than they say
_MARKUP: Final = re.compile(r"(?<=\])(?=\()|(?<=<)|(?<=\|)(?=\|)|(?<=~)(?=~)|(?<=`)(?=``)")


class Press(StrEnum):
    """What somebody did to a card."""

    APPROVE = "approve"
    REJECT = "reject"
    #: the modal behind Reject, filled in
    REASON = "reason"
    #: what was approved is done; and the modal behind that, filled in
    COMPLETE = "complete"
    BILL = "bill"


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
            done = _sentence(request.outcome)
            if request.completed_by:
                at_last = f"{plain(request.completed_by)} at {_clock(request.completed_at)}"
                done = f"Completed by {at_last}. {'' if done == 'Done.' else done}".rstrip()
            return f"Approved by {by} at {at}{note}\n{done}"
        case RequestState.REJECTED:
            return f"Rejected by {by} at {at}{note}"
        case RequestState.EXPIRED:
            return f"Rejected itself at {at}: nobody decided in time."


def given(components: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """What was written into a modal, from its submitted components (rows or labels): custom id of
    the input → text.
    """
    found = {}
    for outer in components:
        inner = [*(outer.get("components") or ()), outer.get("component") or {}]
        for one in inner:
            name, text = str(one.get("custom_id") or ""), str(one.get("value") or "")
            if name in {REASON, COST, RETURN}:
                found[name] = text.strip()[:REASON_CHARACTERS]
    return found


def _about(request: Request) -> str:
    why = f"{plain(request.reason)}\n" if request.reason else ""
    if request.state is RequestState.PENDING:
        rejects = f"Rejects itself <t:{int(request.expires_at.timestamp())}:R>: silence is a no."
        if request.quorum == 1:
            return f"{why}{rejects}"
        so_far = plain(request.note) or "nobody said yes yet"
        return f"{why}It takes {request.quorum} people: {so_far}.\n{rejects}"
    if request.state is RequestState.APPROVED and request.is_by_hand:
        return f"{why}{sentence(request)}\nTo be done by a person, who then says what it cost."
    return f"{why}{sentence(request)}"


def _fields(request: Request) -> Iterator[Payload]:
    left = _FIELDS
    for label, value in islice(facts_of(request), _FACTS):
        field = {
            "name": plain(label)[:_LABEL] or "\N{HORIZONTAL ELLIPSIS}",
            "value": plain(value)[:_VALUE] or "\N{HORIZONTAL ELLIPSIS}",
        }
        left -= sum(map(len, field.values()))
        if left < 0:
            return
        yield {**field, "inline": len(field["value"]) <= _INLINE}


def _buttons(request: Request) -> Iterator[Payload]:
    if request.state is RequestState.PENDING:
        buttons = [
            _button("Approve", _SUCCESS, custom_id(request.id, Press.APPROVE)),
            _button("Reject", _DANGER, custom_id(request.id, Press.REJECT)),
        ]
    elif request.state is RequestState.APPROVED and request.is_by_hand:
        buttons = [_button("Complete", _SUCCESS, custom_id(request.id, Press.COMPLETE))]
    else:
        return
    yield {"type": _ROW, "components": buttons}


def _button(label: str, style: int, custom: str) -> Payload:
    return {"type": _BUTTON, "style": style, "label": label, "custom_id": custom}


def _sentence(text: str) -> str:
    words = plain(text)
    return f"{words[:1].upper()}{words[1:].rstrip('.')}." if words else ""


def _clock(at: datetime | None) -> str:
    return f"{at:%H:%M} UTC" if at else "an unknown time"
