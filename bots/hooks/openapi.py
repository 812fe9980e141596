"""The OpenAPI 3.1 document of one agent's hooks, as data."""

from __future__ import annotations

from typing import Final

from bots.hooks import event_schemas
from bots.hooks.schema_parts import REFUSALS, TOLD, Schema, content, reference, responses
from bots.hooks.schemas import id_schema, key_schema, schemas

_REFUSALS: Final = {
    **REFUSALS,
    401: "No token, a wrong one, or an envelope that cannot be believed.",
    403: "It may not be asked, here or of that agent.",
    404: "There is no such agent, or no such task of yours.",
    409: "The nonce or the idempotency key was used before, for something else.",
}
_WITHOUT_BODY: Final = {status: _REFUSALS[status] for status in (400, 401, 404, 429, 503)}
_NOW: Final = {200: TOLD}
_SOON: Final = {200: TOLD, 202: "It was taken, and has not ended."}
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
        "responses": responses("Answer", _SOON, _REFUSALS),
    }


def _reading() -> Schema:
    return {
        "summary": "What became of a task of yours",
        "operationId": "readTask",
        "parameters": [_id()],
        "responses": responses("Answer", _NOW, _WITHOUT_BODY),
    }


def _cancelling() -> Schema:
    return {
        "summary": "End a task of yours, and all that was made for it",
        "operationId": "cancelTask",
        "security": _SIGNED_OR_TOKEN,
        "parameters": [_id()],
        "requestBody": {**_body("Cancel"), "required": False},
        "responses": responses("Answer", _NOW, _REFUSALS),
    }


def _open(summary: str, name: str) -> Schema:
    return {
        "summary": summary,
        "operationId": name,
        "security": [],
        "responses": {"200": {"description": TOLD, "content": content({"type": "object"})}},
    }


def _id() -> Schema:
    return {"name": "id", "in": "path", "required": True, "schema": id_schema()}


def _body(name: str) -> Schema:
    """What a script with the token sends, or an envelope around the same."""
    either = [reference(name), reference(f"{name}Envelope")]
    return {"required": True, "content": content({"anyOf": either})}
