"""The OpenAPI 3.1 document of one agent's hooks, as data."""

from __future__ import annotations

from typing import Final

from bots.hooks import event_schemas
from bots.hooks.schemas import Schema, id_schema, key_schema, schemas

_REFUSALS: Final = {
    400: "It is not understood; the sentence names the field.",
    401: "No token, a wrong one, or an envelope that cannot be believed.",
    403: "It may not be asked, here or of that agent.",
    404: "There is no such agent, or no such task of yours.",
    408: "The body came too slowly.",
    409: "The nonce or the idempotency key was used before, for something else.",
    413: "The body is too large.",
    429: "Too often.",
    503: "The agent is killed, or the store does not answer.",
}
_TOLD: Final = {200: "This is how it stands.", 202: "It was taken, and has not ended."}
_WITH_BODY: Final = tuple(_REFUSALS)
_WITHOUT_BODY: Final = (400, 401, 404, 429, 503)
#: a signed envelope as the body needs no header
_SIGNED_OR_TOKEN: Final[list[Schema]] = [{"token": []}, {"openclaw": []}, {}]


def document(agent: str, *, has_default_channel: bool) -> Schema:
    """What the door of `agent` takes and answers."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Hooks of {agent}",
            "version": "1",
            "description": "Hand work to an agent; learn what became of it and what else happened.",
        },
        "security": [{"token": []}, {"openclaw": []}],
        "paths": {
            "/hooks/agent": {"post": _giving("Give work", "Task", "giveTask")},
            "/hooks/wake": {"post": _giving("Give a word to think about", "Wake", "wake")},
            "/tasks/{id}": {"get": _reading()},
            "/tasks/{id}/cancel": {"post": _cancelling()},
            **event_schemas.paths(),
            "/openapi.json": {"get": _open("This document", "readDocument")},
            "/health": {"get": _open("How the agent is", "readHealth")},
        },
        "components": {
            "schemas": {
                **schemas(has_default_channel=has_default_channel),
                **event_schemas.schemas(),
            },
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "openclaw": {"type": "apiKey", "in": "header", "name": "X-OpenClaw-Token"},
            },
        },
    }


def _giving(summary: str, body: str, name: str) -> Schema:
    return {
        "summary": summary,
        "operationId": name,
        "security": _SIGNED_OR_TOKEN,
        "parameters": [{"name": "Idempotency-Key", "in": "header", "schema": key_schema()}],
        "requestBody": _body(body),
        "responses": _responses((200, 202), _WITH_BODY),
    }


def _reading() -> Schema:
    return {
        "summary": "What became of a task of yours",
        "operationId": "readTask",
        "parameters": [_id()],
        "responses": _responses((200,), _WITHOUT_BODY),
    }


def _cancelling() -> Schema:
    return {
        "summary": "End a task of yours, and all that was made for it",
        "operationId": "cancelTask",
        "security": _SIGNED_OR_TOKEN,
        "parameters": [_id()],
        "requestBody": {**_body("Cancel"), "required": False},
        "responses": _responses((200,), _WITH_BODY),
    }


def _open(summary: str, name: str) -> Schema:
    content = {"application/json": {"schema": {"type": "object"}}}
    return {
        "summary": summary,
        "operationId": name,
        "security": [],
        "responses": {"200": {"description": _TOLD[200], "content": content}},
    }


def _id() -> Schema:
    return {"name": "id", "in": "path", "required": True, "schema": id_schema()}


def _body(name: str) -> Schema:
    """What a script with the token sends, or an envelope around the same."""
    either = [_reference(name), _reference(f"{name}Envelope")]
    return {"required": True, "content": {"application/json": {"schema": {"anyOf": either}}}}


def _responses(good: tuple[int, ...], refused: tuple[int, ...]) -> Schema:
    found = {str(status): _response(_TOLD[status], "Answer") for status in good}
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
