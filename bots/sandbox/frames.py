"""Frames of the gateway: op codes, close codes, and reading what a client sent.

Discord's documentation, "Opcodes and Status Codes", sections "Gateway Opcodes" and "Gateway Close
Event Codes"; "Gateway", "Sending Events" (4,096 bytes at most).
"""

from __future__ import annotations

import json
from enum import IntEnum
from typing import Any

_MOST_BYTES = 4096


class Op(IntEnum):
    """Op codes, both ways."""

    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    PRESENCE_UPDATE = 3
    VOICE_STATE_UPDATE = 4
    RESUME = 6
    RECONNECT = 7
    REQUEST_GUILD_MEMBERS = 8
    INVALID_SESSION = 9
    HELLO = 10
    HEARTBEAT_ACK = 11


class Close(IntEnum):
    """Why the gateway closes a socket."""

    UNKNOWN_ERROR = 4000
    UNKNOWN_OPCODE = 4001
    DECODE_ERROR = 4002
    NOT_AUTHENTICATED = 4003
    AUTHENTICATION_FAILED = 4004
    ALREADY_AUTHENTICATED = 4005
    INVALID_SEQ = 4007
    RATE_LIMITED = 4008
    SESSION_TIMED_OUT = 4009
    INVALID_SHARD = 4010
    INVALID_API_VERSION = 4012
    INVALID_INTENTS = 4013
    DISALLOWED_INTENTS = 4014


class Refused(Exception):
    """The socket is closed with this code and reason."""

    def __init__(self, code: Close, reason: str) -> None:
        super().__init__(f"{code.value} {reason}")
        self.code = code
        self.reason = reason


def parse(text: str) -> tuple[Op, Any]:
    """Op and ``d`` of a client's frame; Refused when it is none."""
    if len(text.encode()) > _MOST_BYTES:
        raise Refused(Close.DECODE_ERROR, "Payload larger than 4096 bytes.")
    try:
        frame = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        raise Refused(Close.DECODE_ERROR, "Error while decoding payload.") from None
    if not isinstance(frame, dict) or type(frame.get("op")) is not int:
        raise Refused(Close.DECODE_ERROR, "Error while decoding payload.")
    try:
        return Op(frame["op"]), frame.get("d")
    except ValueError:
        raise Refused(Close.UNKNOWN_OPCODE, "Unknown opcode.") from None


def text(op: Op, d: Any) -> str:
    """A frame without a sequence number."""
    return json.dumps({"op": op, "d": d, "s": None, "t": None}, separators=(",", ":"))
