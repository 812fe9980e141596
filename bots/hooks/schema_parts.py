"""What all parts of the OpenAPI document are put together from, as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Schema = dict[str, Any]

#: no control characters but blanks and line ends
CLEAN: Final = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"
#: status → when it is answered, where a route says no more
REFUSALS: Final[Mapping[int, str]] = {
    400: "It is not understood; the sentence names the field.",
    401: "No token, or a wrong one.",
    408: "The body came too slowly.",
    413: "The body is too large.",
    429: "Too often.",
    503: "The agent is killed, or the store does not answer.",
}
TOLD: Final = "This is how it stands."
_HEADERS: Final = {"401": "WWW-Authenticate", "429": "Retry-After", "503": "Retry-After"}


def responses(answer: str, good: Mapping[int, str], refused: Mapping[int, str]) -> Schema:
    """Statuses with their sentences; `answer` names the schema of the good ones."""
    found = {str(status): _response(sentence, answer) for status, sentence in good.items()}
    found |= {str(status): _response(sentence, "Error") for status, sentence in refused.items()}
    for status, header in _HEADERS.items():
        found[status]["headers"] = {header: {"schema": {"type": "string"}}}
    return found


def content(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


def reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def record(fields: Schema, *required: str) -> Schema:
    """An object with these fields and no others."""
    return {
        "type": "object",
        "properties": fields,
        "required": [*required],
        "additionalProperties": False,
    }


def required_text(longest: int, sentence: str = "") -> Schema:
    """A text that is not blank."""
    text = {"type": "string", "minLength": 1, "maxLength": longest}
    return {**text, "allOf": [{"pattern": CLEAN}, {"pattern": r"\S"}], **_described(sentence)}


def or_null(schema: Schema, sentence: str = "") -> Schema:
    return {"anyOf": [schema, {"type": "null"}], **_described(sentence)}


def _response(sentence: str, schema: str) -> Schema:
    return {"description": sentence, "content": content(reference(schema))}


def _described(sentence: str) -> Schema:
    return {"description": sentence} if sentence else {}
