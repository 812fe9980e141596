"""The refusals of the REST API, with Discord's codes, statuses and sentences.

Source: Discord's documentation, "Opcodes and Status Codes", section "JSON Error Codes".
"""

from __future__ import annotations

from typing import Any

#: code → (HTTP status, what Discord says)
SENTENCES: dict[int, tuple[int, str]] = {
    10002: (404, "Unknown Application"),
    10003: (404, "Unknown Channel"),
    10004: (404, "Unknown Guild"),
    10007: (404, "Unknown Member"),
    10008: (404, "Unknown Message"),
    10009: (404, "Unknown Overwrite"),
    10011: (404, "Unknown Role"),
    10013: (404, "Unknown User"),
    10014: (400, "Unknown Emoji"),
    10015: (404, "Unknown Webhook"),
    10062: (404, "Unknown interaction"),
    10063: (404, "Unknown application command"),
    20001: (403, "Bots cannot use this endpoint"),
    20002: (403, "Only bots can use this endpoint"),
    20012: (403, "You are not authorized to perform this action on this application"),
    30010: (400, "Maximum number of reactions reached (20)"),
    30013: (400, "Maximum number of server channels reached (500)"),
    30032: (400, "Maximum number of application commands reached (100)"),
    30034: (429, "Max number of daily application command creates has been reached (200)"),
    40005: (413, "Request entity too large"),
    40060: (400, "Interaction has already been acknowledged."),
    50001: (403, "Missing Access"),
    50003: (403, "Cannot execute action on a DM channel"),
    50005: (403, "Cannot edit a message authored by another user"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50008: (400, "Cannot send messages in a non-text channel"),
    50013: (403, "Missing Permissions"),
    50016: (
        400,
        (
            "Provided too few or too many messages to delete. Must provide at least 2 and fewer "
            "than or equal to 100 messages to delete"
        ),
    ),
    50024: (400, "Cannot execute action on this channel type"),
    50027: (401, "Invalid Webhook Token"),
    50033: (400, "Invalid Recipient(s)"),
    50034: (400, "You can only bulk delete messages that are under 14 days old."),
    50083: (400, "Thread is archived"),
    50109: (400, "The request body contains invalid JSON."),
    160002: (400, "Cannot reply without permission to read message history"),
    160004: (400, "A thread has already been created for this message"),
    160005: (403, "Thread is locked"),
}


class ApiError(Exception):
    """A refusal: `status` and the JSON `body` of the answer."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{status} {body.get('code')}: {body.get('message')}")
        self.status = status
        self.body = body


def refusal(code: int) -> ApiError:
    """The refusal that Discord gives under `code`."""
    status, sentence = SENTENCES[code]
    return ApiError(status, {"message": sentence, "code": code})


def invalid_form(errors: dict[str, Any]) -> ApiError:
    """50035 with the tree of what is wrong where."""
    return ApiError(400, {"message": "Invalid Form Body", "code": 50035, "errors": errors})


def plain(status: int, reason: str) -> ApiError:
    """An answer without a code of its own, as ``401: Unauthorized``."""
    return ApiError(status, {"message": f"{status}: {reason}", "code": 0})
