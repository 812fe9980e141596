"""Delegations in words: one a line, or as a tree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from storage.delegation_tables import Delegation, DelegationState

_LONGEST = 60


def in_a_line(delegation: Delegation) -> str:
    """``D-7k2m9qxa secretary done (42 s): summarise #ubuntu``."""
    took = ""
    if delegation.finished_at is not None:
        seconds = (delegation.finished_at - delegation.issued_at).total_seconds()
        took = f" ({seconds:.0f} s)"
    words = " ".join(delegation.instruction.split())
    shown = words if len(words) <= _LONGEST else f"{words[:_LONGEST]}…"
    talk = f" in talk {delegation.talk}" if delegation.talk else ""
    return f"{delegation.code} {delegation.agent} {delegation.state}{took}{talk}: {shown}"


def in_lines(tree: Sequence[Delegation]) -> Iterator[str]:
    """A tree, each below what it was made for, with what is known of it."""
    known = {d.id for d in tree}
    for root in tree:
        if root.parent_id not in known:
            yield from _branch(root, tree, "")


def _branch(one: Delegation, tree: Sequence[Delegation], indent: str) -> Iterator[str]:
    yield f"{indent}{in_a_line(one)}"
    inner = f"{indent}  "
    if one.chosen:
        yield f"{inner}chosen: {one.chosen.splitlines()[0]}"
    if one.progress and one.state not in set(_ENDED):
        yield f"{inner}{one.progress}"
    if one.error:
        yield f"{inner}{one.error}"
    for child in tree:
        if child.parent_id == one.id:
            yield from _branch(child, tree, inner)


_ENDED = (
    DelegationState.DONE,
    DelegationState.FAILED,
    DelegationState.CANCELLED,
    DelegationState.EXPIRED,
)
