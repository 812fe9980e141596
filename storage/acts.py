"""Acts and permits: the two values every effect passes through.

An `Act` says what an agent is about to do outside its own head. A `Permit` is the guard's yes to
that one act. Only `brain.guard` makes permits; every function that sends, spends, runs, writes
outside or delegates takes one and calls `Permit.check`, so nothing goes around the guard by
mistake.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from storage.errors import PermitRefused


@dataclass(frozen=True, kw_only=True)
class Act:
    #: name of the agent that wants to act
    agent: str
    #: what it wants to do: ``send``, ``tool``, ``run``, ``delegate``, ``spend``, ``write``
    verb: str
    #: typed address or name of what is acted upon, for example ``irc:#lobby`` or ``tool:search``
    target: str
    #: why: the person's line, the hook or the schedule that led here, in one sentence
    reason: str
    #: one id from the chat line to its reply
    trace_id: str
    #: facts a policy may weigh (never secrets): sizes, hashes, prices in micro-credits
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Permit:
    #: the one act this permit is good for
    act: Act
    #: hash of the audit entry that recorded the decision
    audit_hash: str
    #: monotonic clock reading in seconds after which the permit is stale
    good_until_s: float

    def check(self, verb: str, target: str, *, now_s: float) -> None:
        """Raise `PermitRefused` unless this permit is for exactly this verb and target, and still
        fresh.
        """
        if (self.act.verb, self.act.target) != (verb, target):
            raise PermitRefused(
                f"permit is for {self.act.verb} {self.act.target}, not for {verb} {target}"
            )
        if now_s > self.good_until_s:
            raise PermitRefused(f"permit for {verb} {target} is stale")
