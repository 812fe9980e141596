"""A workflow, or one of its runs, as Mermaid text, as SVG and as PNG."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from typing import Final
from xml.sax.saxutils import escape

from PIL import Image, ImageDraw, ImageFont

from brain.workflows.definition import Workflow
from brain.workflows.layout import LINE, Box, Layout, Point, label, layout
from brain.workflows.progress import Progress
from storage.workflow_states import State

#: fill of a box by state; each is readable under dark letters
FILLS: Final[Mapping[State | None, str]] = {
    None: "#eef1f5",
    State.WAITING: "#eef1f5",
    State.RUNNING: "#cfe3ff",
    State.GATED: "#ffe7a8",
    State.DONE: "#c9efd2",
    State.FAILED: "#ffc9c4",
    State.SKIPPED: "#e3e3e3",
    State.CANCELLED: "#e6d5ee",
}
_INK: Final = "#1d2733"
_EDGE: Final = "#5b6b7d"
_HEAD: Final = 7.0
_LETTERS: Final = 13
#: pixels of a PNG for each of the layout, for screens of today
_SCALE: Final = 2


def mermaid(workflow: Workflow, progress: Progress | None = None) -> str:
    """A Mermaid flowchart; the states of a run are its classes."""
    lines = ["flowchart TD"]
    for step in workflow.steps:
        text = "<br/>".join(_mermaid_text(line) for line in label(step, progress))
        opening, closing = ("{{", "}}") if step.gate is not None else ("[", "]")
        lines.append(f'  s_{step.id}{opening}"{text}"{closing}')
    lines += [f"  s_{need} --> s_{step.id}" for step in workflow.steps for need in step.needs]
    if progress is not None:
        shown = {step.id: progress.of(step.id).state for step in workflow.steps}
        for state in State:
            if names := [f"s_{name}" for name, its in shown.items() if its is state]:
                lines.append(f"  classDef {state} fill:{FILLS[state]},color:{_INK},stroke:{_EDGE}")
                lines.append(f"  class {','.join(names)} {state}")
    return "\n".join(lines) + "\n"


def svg(workflow: Workflow, progress: Progress | None = None) -> str:
    """A picture that stands alone: no script, no font and no style from elsewhere."""
    made = layout(workflow, progress)
    title = escape(f"{workflow.name}: {workflow.description}".rstrip(": "))
    size = f'width="{made.width:.0f}" height="{made.height:.0f}"'
    view = f'viewBox="0 0 {made.width:.0f} {made.height:.0f}"'
    letters = f'font-family="ui-monospace, monospace" font-size="{_LETTERS - 1}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {view} role="img" {letters}>',
        f"<title>{title}</title>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
    ]
    for arrow in made.arrows:
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in arrow)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{_EDGE}"/>')
        head = " ".join(f"{x:.1f},{y:.1f}" for x, y in _head(arrow))
        parts.append(f'<polygon points="{head}" fill="{_EDGE}"/>')
    for box in made.boxes:
        parts += _svg_box(box)
    return "\n".join([*parts, "</svg>", ""])


def png(workflow: Workflow, progress: Progress | None = None) -> bytes:
    """The same picture as a PNG."""
    made = layout(workflow, progress)
    size = (math.ceil(made.width * _SCALE), math.ceil(made.height * _SCALE))
    image = Image.new("RGB", size, "#ffffff")
    _draw(ImageDraw.Draw(image), made)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def _draw(draw: ImageDraw.ImageDraw, made: Layout) -> None:
    font = ImageFont.load_default(_LETTERS * _SCALE)
    for arrow in made.arrows:
        draw.line([_scaled(p) for p in arrow], fill=_EDGE, width=_SCALE)
        draw.polygon([_scaled(p) for p in _head(arrow)], fill=_EDGE)
    for box in made.boxes:
        corners = [_scaled((box.left, box.top)), _scaled(_corner(box))]
        round_by = (2 if box.gate else 8) * _SCALE
        width = (2 if box.gate else 1) * _SCALE
        draw.rounded_rectangle(corners, round_by, fill=FILLS[box.state], outline=_EDGE, width=width)
        for number, line in enumerate(box.lines):
            middle = _scaled((box.left + box.width / 2, _baseline(box, number)))
            draw.text(middle, line, fill=_INK, font=font, anchor="ms")


def _svg_box(box: Box) -> list[str]:
    round_by, width = (2, 2) if box.gate else (8, 1)
    place = f'x="{box.left:.1f}" y="{box.top:.1f}"'
    size = f'width="{box.width:.1f}" height="{box.height:.1f}" rx="{round_by}"'
    look = f'fill="{FILLS[box.state]}" stroke="{_EDGE}" stroke-width="{width}"'
    drawn = [f"<rect {place} {size} {look}/>"]
    for number, line in enumerate(box.lines):
        weight = ' font-weight="bold"' if number == 0 else ""
        drawn.append(
            f'<text x="{box.left + box.width / 2:.1f}" y="{_baseline(box, number):.1f}" '
            f'text-anchor="middle" fill="{_INK}"{weight}>{escape(line)}</text>'
        )
    return drawn


def _baseline(box: Box, number: int) -> float:
    first = box.top + (box.height - len(box.lines) * LINE) / 2 + LINE * 0.75
    return first + number * LINE


def _corner(box: Box) -> Point:
    return box.left + box.width, box.top + box.height


def _head(arrow: tuple[Point, ...]) -> tuple[Point, Point, Point]:
    x, y = arrow[-1]
    return (x, y), (x - _HEAD / 2, y - _HEAD), (x + _HEAD / 2, y - _HEAD)


def _scaled(point: Point) -> tuple[float, float]:
    return point[0] * _SCALE, point[1] * _SCALE


def _mermaid_text(text: str) -> str:
    for sign, code in (("&", "#amp;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;")):
        text = text.replace(sign, code)
    return text
