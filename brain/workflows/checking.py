"""What a workflow that reads well can still have wrong: names that nobody has, cycles, templates
that ask for what nobody gives.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from brain.workflows.definition import Step, Workflow
from brain.workflows.templating import (
    NAMES,
    RUN_FIELDS,
    STEP_FIELDS,
    Reference,
    TemplateFailed,
    references,
)
from brain.workflows.yaml_places import Path


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the swarm has, by name."""

    agents: Collection[str]
    capabilities: Collection[str]
    channels: Collection[str]


@dataclass(frozen=True)
class Finding:
    """Something wrong, at a key or value of the file; `line` counts within a template, from 0."""

    path: Path
    sentence: str
    line: int = 0


@dataclass(frozen=True)
class _Text:
    """One template or expression, and what may be asked for there."""

    path: Path
    source: str
    steps: frozenset[str]
    item: bool = False
    expression: bool = False


def findings(workflow: Workflow, known: Known | None) -> list[Finding]:
    """Everything that is wrong, in the order of the file; `known` None: names are not looked up."""
    found = [*_ids(workflow), *_needs(workflow)]
    if not found and (cycle := _cycle(workflow)):
        number = next(n for n, s in enumerate(workflow.steps) if s.id == cycle[0])
        path = " → ".join(cycle)
        sentence = f"the steps wait for each other in a circle: {path}; take one of them out"
        return [Finding(("steps", number, "needs"), sentence)]
    if known is not None:
        for number, step in enumerate(workflow.steps):
            found += _unknown_names(("steps", number), step, known)
    if not any(f.path[-1:] == ("id",) for f in found):
        for text in _texts(workflow):
            found += _templates(workflow, text)
    return found


def nearest(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'secretary'?``, or nothing."""
    near = difflib.get_close_matches(name, [str(k) for k in known], 1, 0.5)
    return f"; did you mean {near[0]!r}?" if near else ""


def _ids(workflow: Workflow) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for number, step in enumerate(workflow.steps):
        if step.id in first:
            sentence = f"{step.id!r} is the id of step {first[step.id] + 1} already; give another"
            yield Finding(("steps", number, "id"), sentence)
        first.setdefault(step.id, number)


def _needs(workflow: Workflow) -> Iterator[Finding]:
    for number, step in enumerate(workflow.steps):
        for place, need in enumerate(step.needs):
            if need not in workflow.by_id:
                hint = nearest(need, set(workflow.by_id) - {step.id})
                yield Finding(
                    ("steps", number, "needs", place), f"no step is called {need!r}{hint}"
                )


def _cycle(workflow: Workflow) -> list[str]:
    """The ids along a circle, the first one again at the end; empty when there is none."""
    over: set[str] = set()
    for start in workflow.steps:
        trail: list[str] = [start.id]
        branches = [iter(start.needs)]
        while branches:
            need = next(branches[-1], None)
            if need is None:
                branches.pop()
                over.add(trail.pop())
            elif need in trail:
                return [*trail[trail.index(need) :], need]
            elif need not in over:
                trail.append(need)
                branches.append(iter(workflow.step(need).needs))
    return []


def _unknown_names(path: Path, step: Step, known: Known) -> Iterator[Finding]:
    if step.agent is not None and step.agent not in known.agents:
        hint = nearest(step.agent, known.agents)
        yield Finding((*path, "agent"), f"there is no agent {step.agent!r}{hint}")
    if step.capability is not None and step.capability not in known.capabilities:
        hint = nearest(step.capability, known.capabilities)
        yield Finding((*path, "capability"), f"no agent can {step.capability!r}{hint}")
    place = step.post_to
    if place and place.startswith("#") and place.lower() not in {c.lower() for c in known.channels}:
        hint = nearest(place, known.channels)
        yield Finding((*path, "post_to"), f"there is no channel {place!r}{hint}")


def _texts(workflow: Workflow) -> Iterator[_Text]:
    for number, step in enumerate(workflow.steps):
        path: Path = ("steps", number)
        above = workflow.above(step.id)
        each = step.for_each is not None
        if step.when is not None:
            yield _Text((*path, "when"), step.when, above, expression=True)
        if isinstance(step.for_each, str):
            yield _Text((*path, "for_each"), step.for_each, above, expression=True)
        for key in ("do", "post_to"):
            if source := getattr(step, key):
                yield _Text((*path, key), source, above, item=each)
        if step.compensate is not None:
            yield _Text((*path, "compensate"), step.compensate, above | {step.id}, item=each)
        if step.gate is not None:
            yield _Text((*path, "gate", "title"), step.gate.title, above)
    if workflow.output is not None:
        yield _Text(("output",), workflow.output, frozenset(workflow.by_id))


def _templates(workflow: Workflow, text: _Text) -> Iterator[Finding]:
    try:
        asked = references(text.source, expression=text.expression)
    except TemplateFailed as error:
        yield Finding(text.path, str(error), error.line - 1)
        return
    for reference in asked:
        if why := _objection(workflow, text, reference):
            yield Finding(text.path, why, reference.line - 1)


def _objection(workflow: Workflow, text: _Text, reference: Reference) -> str:  # noqa: PLR0911
    """What is wrong with asking for this here; empty when nothing is."""
    name, *rest = reference.path
    asked = ".".join(reference.path)
    match name:
        case "item":
            return "" if text.item else "item is there only where a step says `for_each`"
        case "inputs":
            return _member("input", asked, rest, workflow.inputs)
        case "run":
            return _member("field of run", asked, rest, RUN_FIELDS)
        case "steps":
            if why := _member("step", asked, rest, workflow.by_id):
                return why
            if rest[0] not in text.steps:
                return f"{rest[0]!r} may not be over by then: add it to `needs`"
            return _member("field of a step", asked, rest[1:], STEP_FIELDS)
        case _:
            hint = nearest(name, NAMES) or f"; there are {', '.join(NAMES)}"
            return f"{asked!r} is not there{hint}"


def _member(what: str, asked: str, rest: list[str], known: Collection[str]) -> str:
    if not rest:
        return f"{asked} alone says nothing: name the {what}, such as {asked}.{_some(known)}"
    if rest[0] not in known:
        return f"{asked}: there is no {what} {rest[0]!r}{nearest(rest[0], known)}"
    return ""


def _some(known: Collection[str]) -> str:
    return min(known, default="NAME")
