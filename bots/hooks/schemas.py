"""JSON schemas (2020-12) of what hooks take and answer, as data.

They say no more than what is true of `bots.hooks.asking`: schemathesis compares the two.
"""

from __future__ import annotations

from typing import Final

from bots.delegating.order import LONGEST_DEADLINE, LONGEST_INSTRUCTION, PRIORITIES
from bots.hooks.asking import LONGEST_KEY, LONGEST_LABEL, LONGEST_NAME, LONGEST_WAIT_S
from bots.hooks.refusal import STATUSES
from bots.hooks.schema_parts import CLEAN, Schema, or_null, record, reference, required_text
from storage.delegation_tables import DelegationState
from storage.key_tables import KeyAlgorithm

_DEADLINE_S: Final = LONGEST_DEADLINE.total_seconds()
_LABEL: Final = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f/]*$"
_ADDRESS: Final = r"^([#&]\S+|(irc|discord):[#&]\S+|irc:nick:\S+|discord:(channel|user):[0-9]+)$"
_TIME: Final = (
    r"^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])"
    r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-](0[0-9]|1[0-2]):[0-5][0-9])$"
)
_MODES: Final = ("now", "next-heartbeat")
_NAMED: Final = ("id", "from", "to", "nonce", "key_id")


def schemas(*, has_default_channel: bool) -> Schema:
    """All of them by name, as an OpenAPI document has them."""
    found = {
        "Task": _task(has_default_channel=has_default_channel),
        "Wake": _wake(),
        "Cancel": record({"reason": _text(500), "task": _text(40)}),
        "Answer": _answer(),
        "Error": _error(),
    }
    for kind in ("Task", "Wake", "Cancel"):
        found[f"{kind}Envelope"] = _envelope(kind)
    return found


def id_schema() -> Schema:
    return {"type": "string", "pattern": "^D-[a-z0-9]{8}$"}


def key_schema() -> Schema:
    """Of the header ``Idempotency-Key``."""
    return {"type": "string", "maxLength": LONGEST_KEY, "pattern": "^[ -~]*$"}


def _task(*, has_default_channel: bool) -> Schema:
    fields = {
        "message": required_text(LONGEST_INSTRUCTION, "What is to be done."),
        "deliver": or_null({"type": "boolean"}, "Whether the result is said in a channel."),
        "channel": _text(200, sentence="Where: irc:#reports, discord:channel:123, #reports."),
        "to": _text(200, sentence="OpenClaw's second half of a channel: channel:123, user:45."),
        "wait": _number(0, LONGEST_WAIT_S, "Seconds to wait for the result before 202."),
        "agentId": _text(LONGEST_NAME, sentence="Agent that shall do it, or auto."),
        "priority": or_null({"enum": [*PRIORITIES]}, "Higher ones are done first."),
        "deadline_s": _number(1, _DEADLINE_S, "Seconds after which it is given up."),
        "name": _text(LONGEST_LABEL, _LABEL, "What the script calls itself."),
        "idempotencyKey": _text(LONGEST_KEY, sentence="The same key gives the first result."),
        "waitForCompletion": or_null({"type": "boolean"}, "OpenClaw's name of a long wait."),
        "timeoutSeconds": _number(0, _DEADLINE_S, "OpenClaw's name of deadline_s."),
        "wakeMode": or_null({"enum": [*_MODES]}, "Makes no difference here."),
        "sessionMode": or_null({"enum": ["isolated"]}, "Each hook is a session of its own."),
    }
    task = record(fields, "message")
    task["anyOf"] = _places(has_default_channel=has_default_channel)
    either = (("wait", "waitForCompletion"), ("deadline_s", "timeoutSeconds"))
    task["allOf"] = [{"not": _given(*pair)} for pair in either]
    return task


def _places(*, has_default_channel: bool) -> list[Schema]:
    """What `deliver`, `channel` and `to` may say together."""
    nothing = {"enum": [None, ""]}
    nowhere = {"deliver": {"const": False}}
    silent = {"deliver": {"enum": [None, False]}, "channel": nothing, "to": nothing}
    whole = {"channel": {"type": "string", "pattern": _ADDRESS}, "to": nothing}
    found: list[Schema] = [
        {"properties": nowhere, "required": ["deliver"]},
        {"properties": silent},
        {"properties": whole, "required": ["channel"]},
    ]
    recipients = {"irc": r"^([#&]\S+|nick:\S+)$", "discord": r"^([#&]\S+|(channel|user):[0-9]+)$"}
    for network, recipient in recipients.items():
        halves = {"channel": {"const": network}, "to": {"type": "string", "pattern": recipient}}
        found.append({"properties": halves, "required": ["channel", "to"]})
    if has_default_channel:
        own = {"channel": {"enum": [None, "", "last"]}, "to": nothing}
        found.append({"properties": own})
    return found


def _wake() -> Schema:
    fields = {
        "text": required_text(LONGEST_INSTRUCTION, "What happened."),
        "mode": or_null({"enum": [*_MODES]}, "The second one waits behind all other work."),
        "agentId": _text(LONGEST_NAME, sentence="Agent that shall hear of it, or auto."),
        "name": _text(LONGEST_LABEL, _LABEL, "What the script calls itself."),
        "idempotencyKey": _text(LONGEST_KEY, sentence="The same key gives the first result."),
    }
    return record(fields, "text")


def _envelope(kind: str) -> Schema:
    fields: Schema = {name: {"type": "string", "minLength": 1, "maxLength": 300} for name in _NAMED}
    for name in _NAMED:
        fields[name]["pattern"] = CLEAN
    fields |= {
        "kind": {"const": kind.lower()},
        "issued_at": {"type": "string", "format": "date-time", "pattern": _TIME},
        "expires_at": {"type": "string", "format": "date-time", "pattern": _TIME},
        "alg": {"enum": [str(alg) for alg in KeyAlgorithm]},
        "signature": {"type": "string", "maxLength": 300},
        "body": reference(kind),
    }
    needed = list(fields)
    fields["hops"] = {"type": "integer", "minimum": 0, "maximum": 100}
    place = {"type": "string", "maxLength": 300, "pattern": CLEAN}
    fields["reply_to"] = place if kind == "Task" else {"const": ""}
    return record(fields, *needed)


def _answer() -> Schema:
    told = ("target", "message_id", "proof")
    fields: Schema = {
        "ok": {"const": True},
        "id": {"type": "string"},
        "runId": {"type": "string", "description": "The same as id, for OpenClaw's scripts."},
        "status": {"enum": [str(state) for state in DelegationState]},
        "agent": {"type": "string"},
        "chosen": {"type": "array", "items": {"type": "string"}},
        **{n: {"type": ["string", "null"]} for n in ("progress", "result", "error", "undelivered")},
        "delivered": or_null(record({name: {"type": "string"} for name in told}, *told)),
    }
    needed = list(fields)
    fields["completion"] = {"type": "object", "description": "For waitForCompletion."}
    return record(fields, *needed)


def _error() -> Schema:
    fields = {"error": {"type": "string"}, "code": {"enum": [*STATUSES]}}
    return {"type": "object", "properties": fields, "required": ["error", "code"]}


def _given(*names: str) -> Schema:
    """All of these, and none of them null."""
    return {"required": [*names], "properties": {n: {"not": {"type": "null"}} for n in names}}


def _text(longest: int, pattern: str = CLEAN, sentence: str = "") -> Schema:
    return or_null({"type": "string", "maxLength": longest, "pattern": pattern}, sentence)


def _number(least: float, most: float, sentence: str) -> Schema:
    return or_null({"type": "number", "minimum": least, "maximum": most}, sentence)
