"""The part of the OpenAPI document about events, subscriptions and knowledge, as data.

It says no more than what is true of `bots.hooks.event_room`: schemathesis compares the two.
"""

from __future__ import annotations

from typing import Any, Final

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
from storage.subscriptions import LONGEST_BATCH_S
from storage.topics import TOPICS

Schema = dict[str, Any]

_CLEAN: Final = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"
_TOPIC: Final = rf"^(\*|{'|'.join(TOPICS)})(\.(\*|[a-z0-9][a-z0-9_-]{{0,39}})){{0,3}}$"
_REFUSALS: Final = {
    400: "It is not understood; the sentence names the field.",
    401: "No token, or a wrong one.",
    404: "There is no such agent, time zone or subscription.",
    408: "The body came too slowly.",
    409: "There is no room for more.",
    413: "The body is too large.",
    429: "Too often.",
    503: "The agent is killed, or the store does not answer.",
}
_READING: Final = (400, 401, 429, 503)
_WRITING: Final = (400, 401, 404, 408, 409, 413, 429, 503)


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
                "responses": _responses("Ended", (*_READING, 404)),
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
    event = _object(
        dict.fromkeys(("topic", "agent", "text", "ref", "at", "trace_id"), text)
        | {"number": number}
    )
    made = _object(
        dict.fromkeys(("receiver", "topic", "made_by", "created_at"), text)
        | dict.fromkeys(("id", "batch_s", "unread"), number)
        | {n: {"type": ["string", "null"]} for n in ("quiet", "trouble")}
    )
    finding = _object(
        dict.fromkeys(("by", "title", "text", "topic", "source", "published_at"), text)
        | {"id": number, "confidence": {"type": "number"}}
    )
    with_old = _object(finding["properties"] | {"instead_of": {"type": ["integer", "null"]}})
    return {
        "Events": _object({"events": {"type": "array", "items": event}, "next": number}),
        "Subscription": made,
        "Subscriptions": _object({"subscriptions": {"type": "array", "items": made}}),
        "Ended": _object({"id": number, "receiver": text, "topic": text}),
        "Finding": with_old,
        "Found": _object({"knowledge": {"type": "array", "items": finding}}),
        "Wanted": _wanted(),
        "New": _new(),
    }


def _wanted() -> Schema:
    fields = {
        "receiver": {"type": "string", "pattern": f"^{RECEIVER}$"},
        "topic": {"type": "string", "pattern": _TOPIC},
        "quiet": _or_null({"type": "string", "pattern": f"^{SPAN}$"}),
        "zone": _or_null({"type": "string", "maxLength": 60, "pattern": _CLEAN}),
        "batch_s": _or_null({"type": "number", "minimum": 0, "maximum": LONGEST_BATCH_S}),
    }
    return _object(fields, "receiver", "topic")


def _new() -> Schema:
    fields = {
        "title": _required(LONGEST_TITLE),
        "text": _required(LONGEST_FINDING),
        "source": _required(LONGEST_SOURCE),
        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        "topic": _or_null({"type": "string", "maxLength": LONGEST_TITLE, "pattern": _CLEAN}),
    }
    return _object(fields, "title", "text", "source", "confidence")


def _reading(summary: str, name: str, answer: str, *parameters: Schema) -> Schema:
    return {
        "summary": summary,
        "operationId": name,
        "parameters": [*parameters],
        "responses": _responses(answer, _READING),
    }


def _writing(summary: str, name: str, asked: str, answer: str) -> Schema:
    content = {"application/json": {"schema": _reference(asked)}}
    return {
        "summary": summary,
        "operationId": name,
        "requestBody": {"required": True, "content": content},
        "responses": _responses(answer, _WRITING),
    }


def _responses(answer: str, refused: tuple[int, ...]) -> Schema:
    found = {"200": _response("This is how it stands.", answer)}
    found |= {str(status): _response(_REFUSALS[status], "Error") for status in refused}
    for status in ("429", "503"):
        found[status]["headers"] = {"Retry-After": {"schema": {"type": "string"}}}
    found["401"]["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    return found


def _response(sentence: str, schema: str) -> Schema:
    content = {"application/json": {"schema": _reference(schema)}}
    return {"description": sentence, "content": content}


def _reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _query(name: str, schema: Schema, sentence: str) -> Schema:
    return {"name": name, "in": "query", "schema": schema, "description": sentence}


def _id() -> Schema:
    return {"name": "id", "in": "path", "required": True, "schema": _whole(1, LARGEST)}


def _whole(least: int, most: int) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most}


def _required(longest: int) -> Schema:
    text = {"type": "string", "minLength": 1, "maxLength": longest}
    return {**text, "allOf": [{"pattern": _CLEAN}, {"pattern": r"\S"}]}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _object(fields: Schema, *required: str) -> Schema:
    """All of its fields are required unless some are named."""
    return {
        "type": "object",
        "properties": fields,
        "required": list(required or fields),
        "additionalProperties": False,
    }
