"""Gates of workflows as questions to people: one request each, with approvers and a quorum."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bots.messages import DISCORD
from bots.workflows.work import Verdict
from brain.workflows.definition import OPERATORS, Gate
from storage import requests
from storage.request import RequestKind
from storage.requests import Approvers, Decision, NewRequest, Request
from storage.tables import RequestState
from storage.unit import Unit
from storage.workflow_tables import WorkflowRun
from storage.workflows import StepRow


@dataclass(frozen=True, kw_only=True)
class RequestedGates:
    """`bots.workflows.work.Gates` by approval cards."""

    #: agent that shows the cards
    captain: str
    #: where they are shown
    channel: str
    #: whoever may steer the swarm
    operators: Approvers
    #: hides secrets in text
    redact: Callable[[str], str]
    clock: Callable[[], datetime]
    #: have the cards drawn again
    changed: Callable[[], None]

    async def open(self, unit: Unit, run: WorkflowRun, task: StepRow, gate: Gate) -> str:
        assert task.due_at is not None
        people = "1 person" if gate.quorum == 1 else f"{gate.quorum} people"
        new = NewRequest(
            agent=self.captain,
            kind=RequestKind.GATE,
            subject=f"{run.code}/{task.step}",
            title=self.redact(task.instruction),
            facts=(
                ("Workflow", f"{run.name} ({run.code})"),
                ("Step", task.step),
                ("Takes", people),
                ("A no", "ends the run" if gate.on_reject == "fail" else "passes over the rest"),
            ),
            asked_by=self.redact(run.started_by),
            approvers=approvers_of(gate, self.operators),
            network=DISCORD,
            channel=self.channel,
            quorum=gate.quorum,
            expires_at=task.due_at,
            trace_id=run.trace_id,
        )
        return (await requests.open_one(unit, new, self.clock())).code

    async def verdicts(self, unit: Unit, references: Sequence[str]) -> dict[str, Verdict]:
        found = await requests.by_codes(unit, references)
        return {r.code: _verdict(r) for r in found if r.state is not RequestState.PENDING}

    async def close(self, unit: Unit, reference: str, outcome: str) -> None:
        for request in await requests.by_codes(unit, [reference]):
            if request.state is RequestState.APPROVED:
                await requests.complete(unit, request.id, outcome, self.clock())
            elif request.state is RequestState.PENDING:
                no = Decision(approved=False, by="the workflow", note=outcome)
                await requests.decide(unit, request.id, no, self.clock())


def approvers_of(gate: Gate, operators: Approvers) -> Approvers:
    """Who may decide at this gate."""
    all_of = operators if OPERATORS in gate.approvers else Approvers()
    return Approvers(
        (*all_of.users, *_named("user", gate)),
        (*all_of.roles, *_named("role", gate)),
        (*all_of.accounts, *_named("account", gate)),
    )


def _named(kind: str, gate: Gate) -> list[str]:
    """``user:45`` → 45, for each of them."""
    pairs = (who.partition(":") for who in gate.approvers)
    return [name for first, _, name in pairs if first == kind]


def _verdict(request: Request) -> Verdict:
    note = f": {request.note}" if request.note else ""
    match request.state:
        case RequestState.APPROVED | RequestState.COMPLETED:
            return Verdict(approved=True, why=f"approved by {request.decided_by}{note}")
        case RequestState.REJECTED:
            return Verdict(approved=False, why=f"rejected by {request.decided_by}{note}")
        case _:
            why = "nobody decided in time, and silence is a no"
            return Verdict(approved=False, why=why)
