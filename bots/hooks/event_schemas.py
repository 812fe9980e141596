"""The part of the OpenAPI document about events, subscriptions and knowledge, as data.

It says no more than what is true of `bots.hooks.event_room`: schemathesis compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bots.hooks.event_room import (
    LARGEST,
    LONGEST_FINDING,
    LONGEST_QUERY,
    LONGEST_SOURCE,
    LONGEST_TITLE,
    MOST,
    RECEIVER,
    SPAN,
)
from bots.hooks.schema_parts import (
    CLEAN,
    REFUSALS,
    TOLD,
    Schema,
    content,
    or_null,
    record,
    reference,
    required_text,
    responses,
)
from storage.subscriptions import LONGEST_BATCH_S
from storage.topics import TOPICS

_TOPIC: Final = rf"^(\*|{'|'.join(TOPICS)})(\.(\*|[a-z0-9][a-z0-9_-]{{0,39}})){{0,3}}$"
_NOBODY: Final = {404: "There is no such agent, time zone or subscription."}
_FULL: Final = {409: "There is no room for more."}
_READING: Final = {status: REFUSALS[status] for status in (400, 401, 429, 503)}
_WRITING: Final = {**REFUSALS, **_NOBODY, **_FULL}


def paths() -> Schema:
    return {
        "/events": {
            "get": _reading(
                "What happened, in one order",
                "readEvents",
                "Events",
                _query("since", _whole(0, LARGEST), "Behind the event of this number."),
                _query("topic", {"type": "string", "pattern": _TOPIC}, "delegation.failed, *"),
                _query("limit", _whole(1, MOST), "At most so many."),
            )
        },
        "/subscriptions": {
            "get": _reading(
                "Who is told of what",
                "readSubscriptions",
                "Subscriptions",
                _query("receiver", {"type": "string", "maxLength": LONGEST_QUERY}, "Only this."),
            ),
            "post": _writing("Have somebody told", "subscribe", "Wanted", "Subscription"),
        },
        "/subscriptions/{id}": {
            "delete": {
                **_reading("Have nobody told any more", "unsubscribe", "Ended", _id()),
                "responses": _told("Ended", {**_READING, **_NOBODY}),
            }
        },
        "/knowledge": {
            "get": _reading(
                "Search what was published",
                "searchKnowledge",
                "Found",
                _query("q", {"type": "string", "maxLength": LONGEST_QUERY}, "Words; none: newest."),
                _query("limit", _whole(1, MOST), "At most so many."),
            ),
            "post": _writing("Publish a finding", "publish", "New", "Finding"),
        },
    }


def schemas() -> Schema:
    """By name; together with those of `bots.hooks.schemas`."""
    text, number = {"type": "string"}, {"type": "integer"}
    event = _complete(
        dict.fromkeys(("topic", "agent", "text", "ref", "at", "trace_id"), text)
        | {"number": number}
    )
    made = _complete(
        dict.fromkeys(("receiver", "topic", "made_by", "created_at"), text)
        | dict.fromkeys(("id", "batch_s", "unread"), number)
        | {n: {"type": ["string", "null"]} for n in ("quiet", "trouble")}
    )
    finding = _complete(
        dict.fromkeys(("by", "title", "text", "topic", "source", "published_at"), text)
        | {"id": number, "confidence": {"type": "number"}}
    )
    with_old = _complete(finding["properties"] | {"instead_of": {"type": ["integer", "null"]}})
    return {
        "Events": _complete({"events": {"type": "array", "items": event}, "next": number}),
        "Subscription": made,
        "Subscriptions": _complete({"subscriptions": {"type": "array", "items": made}}),
        "Ended": _complete({"id": number, "receiver": text, "topic": text}),
        "Finding": with_old,
        "Found": _complete({"knowledge": {"type": "array", "items": finding}}),
        "Wanted": _wanted(),
        "New": _new(),
    }


def _wanted() -> Schema:
    fields = {
        "receiver": {"type": "string", "pattern": f"^{RECEIVER}$"},
        "topic": {"type": "string", "pattern": _TOPIC},
        "quiet": or_null({"type": "string", "pattern": f"^{SPAN}$"}),
        "zone": or_null({"type": "string", "maxLength": 60, "pattern": CLEAN}),
        "batch_s": or_null({"type": "number", "minimum": 0, "maximum": LONGEST_BATCH_S}),
    }
    return record(fields, "receiver", "topic")


def _new() -> Schema:
    fields = {
        "title": required_text(LONGEST_TITLE),
        "text": required_text(LONGEST_FINDING),
        "source": required_text(LONGEST_SOURCE),
        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        "topic": or_null({"type": "string", "maxLength": LONGEST_TITLE, "pattern": CLEAN}),
    }
    return record(fields, "title", "text", "source", "confidence")


def _reading(summary: str, name: str, answer: str, *parameters: Schema) -> Schema:
    return {
        "summary": summary,
        "operationId": name,
        "parameters": [*parameters],
        "responses": _told(answer, _READING),
    }


def _writing(summary: str, name: str, asked: str, answer: str) -> Schema:
    return {
        "summary": summary,
        "operationId": name,
        "requestBody": {"required": True, "content": content(reference(asked))},
        "responses": _told(answer, _WRITING),
    }


def _told(answer: str, refused: Mapping[int, str]) -> Schema:
    return responses(answer, {200: TOLD}, refused)


def _query(name: str, schema: Schema, sentence: str) -> Schema:
    return {"name": name, "in": "query", "schema": schema, "description": sentence}


def _id() -> Schema:
    return {"name": "id", "in": "path", "required": True, "schema": _whole(1, LARGEST)}


def _whole(least: int, most: int) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most}


def _complete(fields: Schema) -> Schema:
    """All of it is always there."""
    return record(fields, *fields)
