"""Where the boxes and arrows of a workflow stand: layers from top to bottom (Sugiyama, Tagawa and
Toda, 1981, in its simplest form), so that every arrow points down. Units are pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from brain.workflows.definition import Step, Workflow
from brain.workflows.progress import Key, Progress
from storage.workflow_states import State

#: one letter at 13 pixels, and a line of them
LETTER: Final = 7.5
LINE: Final = 18.0
_PADDING: Final = 12.0
_NARROWEST: Final = 110.0
_BETWEEN: Final = 28.0
_BELOW: Final = 46.0
_MARGIN: Final = 20.0
_ROUNDS: Final = 4
#: a bend of an arrow that passes a layer
_BEND: Final = 16.0
_LONGEST: Final = 34

Point = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Box:
    """One step."""

    id: str
    lines: tuple[str, ...]
    #: people decide it
    gate: bool
    #: None where no run is drawn
    state: State | None
    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Layout:
    boxes: tuple[Box, ...]
    #: each from the foot of a box to the head of another, through its bends
    arrows: tuple[tuple[Point, ...], ...]
    width: float
    height: float


def layout(workflow: Workflow, progress: Progress | None = None) -> Layout:
    """The workflow as a picture; with `progress`, as one of its runs stands."""
    layers, arrows = _layered(workflow)
    _untangle(layers, arrows)
    labels = {step.id: label(step, progress) for step in workflow.steps}
    widths = {
        name: _width(labels[name]) if name in labels else _BEND
        for layer in layers
        for name in layer
    }
    tallest = max(len(lines) for lines in labels.values())
    height = tallest * LINE + _PADDING
    whole = max(_row_width(layer, widths) for layer in layers)
    lefts: dict[str, float] = {}
    tops: dict[str, float] = {}
    for depth, layer in enumerate(layers):
        left = _MARGIN + (whole - _row_width(layer, widths)) / 2
        for name in layer:
            lefts[name], tops[name] = left, _MARGIN + depth * (height + _BELOW)
            left += widths[name] + _BETWEEN
    boxes = tuple(
        Box(
            id=step.id,
            lines=labels[step.id],
            gate=step.gate is not None,
            state=progress.of(step.id).state if progress else None,
            left=lefts[step.id],
            top=tops[step.id],
            width=widths[step.id],
            height=height,
        )
        for step in workflow.steps
    )
    drawn = tuple(_bent(path, lefts, tops, widths, height) for path in arrows)
    bottom = _MARGIN * 2 + len(layers) * (height + _BELOW) - _BELOW
    return Layout(boxes, drawn, whole + 2 * _MARGIN, bottom)


def label(step: Step, progress: Progress | None) -> tuple[str, ...]:
    """What stands in the box: the step's name, who does it, and how it is."""
    lines = [step.id, _who(step)]
    if step.when is not None:
        lines.append(f"if {step.when}")
    if progress is not None:
        lines.append(state_of(step, progress))
    return tuple(line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…" for line in lines)


def state_of(step: Step, progress: Progress) -> str:
    """``done``, ``running 2 of 5``, ``done, made up for``."""
    task = progress.of(step.id)
    words = str(task.state)
    if task.size:
        over = sum(progress.tasks[Key(step.id, n)].state is State.DONE for n in range(task.size))
        words += f" {over} of {task.size}"
    elif task.attempt > 1:
        words += f", try {task.attempt}"
    undo = [t.state for k, t in progress.tasks.items() if k.step == step.id and k.undo]
    if undo:
        made_up = all(state is State.DONE for state in undo)
        words += ", made up for" if made_up else ", being made up for"
        if State.FAILED in undo:
            words = words.replace("being made up for", "not made up for")
    return words


def _who(step: Step) -> str:
    if step.gate is not None:
        return f"{step.gate.quorum} of {', '.join(step.gate.approvers)}"
    return step.doer if step.for_each is None else f"{step.doer}, for each"


def _layered(workflow: Workflow) -> tuple[list[list[str]], list[list[str]]]:
    """The layers, and each arrow as the names that it passes, bends among them."""
    depths: dict[str, int] = {}
    for _ in workflow.steps:
        for step in workflow.steps:
            depths[step.id] = 1 + max((depths.get(need, 0) for need in step.needs), default=-1)
    layers: list[list[str]] = [[] for _ in range(1 + max(depths.values()))]
    for step in workflow.steps:
        layers[depths[step.id]].append(step.id)
    arrows = []
    for step in workflow.steps:
        for need in step.needs:
            path = [need]
            for depth in range(depths[need] + 1, depths[step.id]):
                path.append(f"{need}>{step.id}@{depth}")
                layers[depth].append(path[-1])
            arrows.append([*path, step.id])
    return layers, arrows


def _untangle(layers: Sequence[list[str]], arrows: Sequence[Sequence[str]]) -> None:
    """Put each below (then above) the middle of what it hangs on: fewer arrows cross."""
    links = [pair for path in arrows for pair in pairwise(path)]
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for upper, lower in links:
        above.setdefault(lower, []).append(upper)
        below.setdefault(upper, []).append(lower)
    for number in range(_ROUNDS):
        near, order = (above, layers) if number % 2 == 0 else (below, layers[::-1])
        places: dict[str, float] = {}
        for layer in order:
            keys = {name: _middle(near.get(name, ()), places, n) for n, name in enumerate(layer)}
            layer.sort(key=lambda name: keys[name])
            places |= {name: float(n) for n, name in enumerate(layer)}


def _middle(near: Sequence[str], places: Mapping[str, float], own: int) -> float:
    known = [places[name] for name in near if name in places]
    return sum(known) / len(known) if known else float(own)


def _width(lines: Sequence[str]) -> float:
    return max(_NARROWEST, max(len(line) for line in lines) * LETTER + 2 * _PADDING)


def _row_width(layer: Sequence[str], widths: Mapping[str, float]) -> float:
    return sum(widths[name] for name in layer) + _BETWEEN * (len(layer) - 1)


def _bent(
    path: Sequence[str],
    lefts: Mapping[str, float],
    tops: Mapping[str, float],
    widths: Mapping[str, float],
    height: float,
) -> tuple[Point, ...]:
    points: list[Point] = []
    for number, name in enumerate(path):
        middle = lefts[name] + widths[name] / 2
        if number > 0:
            points.append((middle, tops[name]))
        if number < len(path) - 1:
            points.append((middle, tops[name] + height))
    return tuple(points)
