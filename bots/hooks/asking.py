"""What a hook asks for, from its JSON: our own fields, and those that OpenClaw's scripts send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from bots.delegating.order import LONGEST_DEADLINE, LONGEST_INSTRUCTION, PRIORITIES
from bots.hooks.addresses import address_in
from bots.hooks.fields import Fields, bad

#: longest time that a caller is kept waiting, and how long one waits that does not say
LONGEST_WAIT_S: Final = 600.0
USUAL_WAIT_S: Final = 300.0
LONGEST_LABEL: Final = 60
LONGEST_KEY: Final = 256
LONGEST_NAME: Final = 100
_USUAL_DEADLINE: Final = timedelta(hours=1)
_MODES: Final = ("now", "next-heartbeat")

KNOWN: Final = (
    "message",
    "deliver",
    "channel",
    "to",
    "wait",
    "agentId",
    "priority",
    "deadline_s",
    "name",
    "idempotencyKey",
    "waitForCompletion",
    "timeoutSeconds",
    "wakeMode",
    "sessionMode",
)
#: fields of OpenClaw that we have no counterpart for
UNSUPPORTED: Final = {
    "model": "which model an agent thinks with is said in swarm.toml",
    "thinking": "how an agent thinks is said in swarm.toml",
    "sessionKey": "each hook is a session of its own",
    "accountId": "an agent has one account on each network",
    "allowUnsafeExternalContent": "what comes from outside is always fenced",
}
WAKE_KNOWN: Final = ("text", "mode", "agentId", "name", "idempotencyKey")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One hook's wishes."""

    message: str
    kind: str = "task"
    #: agent, ``auto``, or empty for the one whose door it is
    to: str = ""
    #: what the script calls itself
    label: str = ""
    deliver_to: str = ""
    #: its words may say where, too; not those of a script that said "nowhere"
    may_name_place: bool = True
    wait_s: float = 0.0
    priority: int = PRIORITIES["normal"]
    deadline: timedelta = _USUAL_DEADLINE
    key: str | None = None
    #: it wants to be told as OpenClaw tells of a completion
    wants_completion: bool = False


def task_in(body: Mapping[str, Any], default_channel: str) -> Asked:
    """The body of ``POST /hooks/agent``; raises `Refused` by the name of what is wrong."""
    fields = Fields(body, KNOWN, UNSUPPORTED)
    # When a finished run wakes a session makes no difference where every hook is taken at once.
    fields.choice("wakeMode", _MODES)
    fields.choice("sessionMode", ("isolated",))
    fields.not_both("wait", "waitForCompletion")
    fields.not_both("deadline_s", "timeoutSeconds")
    longest_s = LONGEST_DEADLINE.total_seconds()
    timeout_s = fields.number("timeoutSeconds", 0, longest_s)
    deadline_s = fields.number("deadline_s", 1, longest_s) or timeout_s
    completion = bool(fields.flag("waitForCompletion"))
    wait_s = fields.number("wait", 0, LONGEST_WAIT_S)
    if completion:
        wait_s = min(timeout_s or USUAL_WAIT_S, LONGEST_WAIT_S)
    return Asked(
        message=fields.required("message", LONGEST_INSTRUCTION),
        to=fields.text("agentId", LONGEST_NAME),
        label=_label(fields),
        deliver_to=address_in(fields, default_channel),
        may_name_place=fields.flag("deliver") is not False,
        wait_s=wait_s or 0.0,
        priority=PRIORITIES[fields.choice("priority", PRIORITIES) or "normal"],
        deadline=timedelta(seconds=max(deadline_s, 1)) if deadline_s else _USUAL_DEADLINE,
        key=fields.text("idempotencyKey", LONGEST_KEY) or None,
        wants_completion=completion,
    )


def wake_in(body: Mapping[str, Any]) -> Asked:
    """The body of ``POST /hooks/wake``: a word to think about, for which nothing is owed.

    ``"mode": "next-heartbeat"`` waits behind everything else that there is to do.
    """
    fields = Fields(body, WAKE_KNOWN, UNSUPPORTED)
    mode = fields.choice("mode", _MODES) or "now"
    return Asked(
        kind="wake",
        may_name_place=False,
        message=fields.required("text", LONGEST_INSTRUCTION),
        to=fields.text("agentId", LONGEST_NAME),
        label=_label(fields),
        priority=PRIORITIES["normal" if mode == "now" else "low"],
        key=fields.text("idempotencyKey", LONGEST_KEY) or None,
    )


def reason_in(body: Mapping[str, Any]) -> str:
    """The body of ``POST /tasks/{id}/cancel``, which may be empty."""
    return Fields(body, ("reason", "task"), {}).text("reason", 500)


def _label(fields: Fields) -> str:
    label = " ".join(fields.text("name", LONGEST_LABEL).split())
    if "/" in label:
        raise bad("name", "has a '/' in it")
    return label
