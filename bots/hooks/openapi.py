"""The OpenAPI 3.1 document of one agent's hooks, as data."""

from __future__ import annotations

from typing import Any, Final

from bots.delegating.order import LONGEST_DEADLINE, LONGEST_INSTRUCTION, PRIORITIES
from bots.hooks.asking import LONGEST_KEY, LONGEST_LABEL, LONGEST_NAME, LONGEST_WAIT_S
from bots.hooks.refusal import STATUSES
from storage.delegation_tables import DelegationState

Schema = dict[str, Any]

_DEADLINE_S: Final = LONGEST_DEADLINE.total_seconds()
#: no control characters but blanks and line ends, no halves of surrogate pairs
_CLEAN: Final = r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]"
_BLANK_OR_TEXT: Final = rf"^{_CLEAN}*$"
_TEXT: Final = r"^[\t\n\r ]*[!-~]" + rf"{_CLEAN}*$"
_ADDRESS: Final = r"^(irc:[#&]|irc:nick:|discord:channel:|discord:user:|discord:[#&]|[#&]).+$"
_SENTENCES: Final = {
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


def document(agent: str) -> Schema:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Hooks of {agent}",
            "version": "1",
            "description": "Hand work to an agent, and learn what became of it.",
        },
        "security": [{"token": []}, {"openclaw": []}],
        "paths": {
            "/hooks/agent": {"post": _asking("Give work", "Task", "handTask", 200, 202)},
            "/hooks/wake": {
                "post": _asking("Give a word to think about", "Wake", "wake", 200, 202)
            },
            "/tasks/{id}": {"get": _about("What became of a task of yours", "readTask")},
            "/tasks/{id}/cancel": {"post": _cancelling()},
            "/openapi.json": {"get": _open("This document", "readDocument")},
            "/health": {"get": _open("How the agent is", "readHealth")},
        },
        "components": {
            "schemas": {
                "Task": _task(),
                "Wake": _wake(),
                "Cancel": _closed({"reason": _text(500)}),
                "Envelope": _envelope(),
                "Answer": _answer(),
                "Error": _error(),
            },
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "openclaw": {"type": "apiKey", "in": "header", "name": "X-OpenClaw-Token"},
            },
        },
    }


def _asking(summary: str, body: str, name: str, *good: int) -> Schema:
    key = {"name": "Idempotency-Key", "in": "header", "schema": _text(LONGEST_KEY, ascii_only=True)}
    refusals = (400, 401, 403, 404, 408, 409, 413, 429, 503)
    return {
        "summary": summary,
        "operationId": name,
        "parameters": [key],
        "requestBody": _body(body),
        "responses": _responses(good, refusals),
    }


def _about(summary: str, name: str) -> Schema:
    return {
        "summary": summary,
        "operationId": name,
        "parameters": [_id()],
        "responses": _responses((200,), (400, 401, 404, 429, 503)),
    }


def _cancelling() -> Schema:
    return {
        "summary": "End a task of yours, and all that was made for it",
        "operationId": "cancelTask",
        "parameters": [_id()],
        "requestBody": {**_body("Cancel"), "required": False},
        "responses": _responses((200,), (400, 401, 403, 404, 408, 409, 413, 429, 503)),
    }


def _open(summary: str, name: str) -> Schema:
    content = {"application/json": {"schema": {"type": "object"}}}
    return {
        "summary": summary,
        "operationId": name,
        "security": [],
        "responses": {"200": {"description": "It is so.", "content": content}},
    }


def _body(name: str) -> Schema:
    """What a script with the token sends, or an envelope around the same."""
    either = [{"$ref": f"#/components/schemas/{one}"} for one in (name, "Envelope")]
    return {"required": True, "content": {"application/json": {"schema": {"anyOf": either}}}}


def _responses(good: tuple[int, ...], refusals: tuple[int, ...]) -> Schema:
    told = {200: "It has ended, or was taken.", 202: "It was taken, and has not ended."}
    found: Schema = {str(s): _response(told[s], "Answer") for s in good}
    found |= {str(s): _response(_SENTENCES[s], "Error") for s in refusals}
    for status in {401, 429, 503} & set(refusals):
        name = "WWW-Authenticate" if status == 401 else "Retry-After"
        found[str(status)]["headers"] = {name: {"schema": {"type": "string"}}}
    return found


def _response(sentence: str, schema: str) -> Schema:
    reference = {"$ref": f"#/components/schemas/{schema}"}
    return {"description": sentence, "content": {"application/json": {"schema": reference}}}


def _id() -> Schema:
    schema = {"type": "string", "pattern": "^D-[a-z0-9]{8}$"}
    return {"name": "id", "in": "path", "required": True, "schema": schema}


def _task() -> Schema:
    wait = _number(0, LONGEST_WAIT_S, "Seconds to wait for the result before 202.")
    return _closed(
        {
            "message": {
                **_required_text(LONGEST_INSTRUCTION),
                "description": "What is to be done.",
            },
            "deliver": _or_null({"type": "boolean"}),
            "channel": _or_null({"type": "string", "maxLength": 200, "pattern": _ADDRESS}),
            "to": _or_null({"type": "string", "maxLength": 200}),
            "wait": wait,
            "agentId": _text(LONGEST_NAME),
            "priority": _or_null({"enum": [*PRIORITIES]}),
            "deadline_s": _number(1, _DEADLINE_S, "Seconds after which it is given up."),
            "name": _text(LONGEST_LABEL),
            "idempotencyKey": _text(LONGEST_KEY),
            "waitForCompletion": _or_null({"type": "boolean"}),
            "timeoutSeconds": _number(0, _DEADLINE_S, "OpenClaw's name of deadline_s."),
            "wakeMode": _or_null({"enum": ["now", "next-heartbeat"]}),
            "sessionMode": _or_null({"enum": ["isolated"]}),
        },
        "message",
    )


def _wake() -> Schema:
    return _closed(
        {
            "text": _required_text(LONGEST_INSTRUCTION),
            "mode": _or_null({"enum": ["now", "next-heartbeat"]}),
            "agentId": _text(LONGEST_NAME),
            "name": _text(LONGEST_LABEL),
            "idempotencyKey": _text(LONGEST_KEY),
        },
        "text",
    )


def _envelope() -> Schema:
    texts = ("id", "kind", "from", "to", "nonce", "reply_to", "alg", "key_id", "signature")
    fields: Schema = {name: {"type": "string", "maxLength": 300} for name in texts}
    fields["alg"] = {"enum": ["ed25519", "hmac-sha256"]}
    fields |= {name: {"type": "string", "format": "date-time"} for name in _TIMES}
    fields["hops"] = {"type": "integer", "minimum": 0, "maximum": 100}
    fields["body"] = {"type": "object"}
    needed = [*_TIMES, *(name for name in texts if name != "reply_to"), "body"]
    return _closed(fields, *needed)


_TIMES: Final = ("issued_at", "expires_at")


def _answer() -> Schema:
    delivered = _closed({n: {"type": "string"} for n in _DELIVERED}, *_DELIVERED)
    fields: Schema = {
        "ok": {"const": True},
        "id": {"type": "string"},
        "runId": {"type": "string", "description": "The same as id, for OpenClaw's scripts."},
        "status": {"enum": [str(state) for state in DelegationState]},
        "agent": {"type": "string"},
        "chosen": {"type": "array", "items": {"type": "string"}},
        **{n: {"type": ["string", "null"]} for n in ("progress", "result", "error", "undelivered")},
        "delivered": _or_null(delivered),
    }
    needed = [*fields]
    fields["completion"] = {"type": "object", "description": "For waitForCompletion."}
    return _closed(fields, *needed)


_DELIVERED: Final = ("target", "message_id", "proof")


def _error() -> Schema:
    fields = {"error": {"type": "string"}, "code": {"enum": [*STATUSES]}}
    return {"type": "object", "properties": fields, "required": ["error", "code"]}


def _closed(fields: Schema, *required: str) -> Schema:
    return {
        "type": "object",
        "properties": fields,
        "required": list(required),
        "additionalProperties": False,
    }


def _required_text(longest: int) -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": longest, "pattern": _TEXT}


def _text(longest: int, *, ascii_only: bool = False) -> Schema:
    pattern = "^[!-~]*$" if ascii_only else _BLANK_OR_TEXT
    text: Schema = {"type": "string", "maxLength": longest, "pattern": pattern}
    return text if ascii_only else _or_null(text)


def _number(least: float, most: float, sentence: str) -> Schema:
    number = {"type": "number", "minimum": least, "maximum": most}
    return {**_or_null(number), "description": sentence}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}
