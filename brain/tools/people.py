"""The tool by which an agent asks people for what it may not decide or cannot do."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Final

from brain.cases import LONGEST_TEXT, BadCase, case_of
from brain.errors import BadArguments, ToolError
from brain.tools.context import Context
from brain.tools.registry import Effects, Longest, ToolResult, tool

#: a turn has its own time
_LONGEST_WAIT_S: Final = 45.0
_EVIDENCE: Final = 2_000


@tool(effects=Effects.ONCE, guard_class="people", needs="people", shown_if="has_people")
async def request_human(
    context: Context,
    *,
    kind: Annotated[str, "payment, design, account (with an API), content or strategy"],
    title: Annotated[str, "what is wanted, in a few words"],
    reason: Annotated[str, "why it is wanted", Longest(LONGEST_TEXT)],
    attempt: Annotated[
        str, "what you tried to do it without a person, and what came of it", Longest(LONGEST_TEXT)
    ],
    cost: Annotated[str | None, "estimated cost, such as 12.50 EUR; a payment needs it"] = None,
    expected_return: Annotated[str | None, "what it should bring, such as 40 EUR"] = None,
    deadline: Annotated[str | None, "such as 2h, 3 days or 2026-11-30 18:00 (UTC)"] = None,
    evidence: Annotated[str | None, "links or texts, one a line", Longest(_EVIDENCE)] = None,
    wait_s: Annotated[float | None, "seconds to wait for the answer, at most 45"] = None,
) -> ToolResult:
    """Ask people for a payment, a decision or an account: only for what you cannot do or may not
    decide yourself. You get the answer, or a code; then the answer comes to you as work later.
    """
    if context.people is None:
        raise ToolError("people cannot be asked from here")
    try:
        case = case_of(
            kind,
            title,
            reason,
            attempt,
            cost=cost or "",
            gain=expected_return or "",
            deadline=deadline or "",
            sources=evidence or "",
            now=context.now(),
        )
    except BadCase as error:
        raise BadArguments(f"request_human: {error}") from error
    wait = max(0.0, min(wait_s or 0.0, _LONGEST_WAIT_S))
    return ToolResult(text=await context.people(replace(case, patience_s=int(wait))))
