"""A workflow as a picture: every step stands in it, arrows point down, nothing lies on anything."""

from __future__ import annotations

import io
from dataclasses import replace
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from brain.workflows.definition import Gate, Step, Workflow
from brain.workflows.drawing import mermaid, png, svg
from brain.workflows.layout import layout, state_of
from brain.workflows.progress import Key, Progress, Task, begun
from storage.workflow_states import State

SVG = "{http://www.w3.org/2000/svg}"
STEPS = (
    Step(id="end", agent="secretary", do="x", when='"<b>" != "&"'),
    Step(id="fan", capability="search", do="x", needs=("end",), for_each="inputs.x"),
    Step(id="ask", gate=Gate(title="t", quorum=2), needs=("end", "fan")),
)
WORKFLOW = Workflow(name="small", description='A "small" <one>', steps=STEPS)


def run() -> Progress:
    tasks = dict(begun(WORKFLOW).tasks)
    tasks[Key("end")] = Task(state=State.DONE, attempt=2, done_as=1)
    tasks[Key("fan")] = Task(state=State.RUNNING, size=2, attempt=1)
    tasks[Key("fan", 0)] = Task(state=State.DONE, attempt=1, done_as=2)
    tasks[Key("fan", 1)] = Task(state=State.RUNNING, attempt=1)
    tasks[Key("end", undo=True)] = Task(state=State.DONE, attempt=1)
    return replace(begun(WORKFLOW), tasks=tasks)


def test_mermaid_names_every_step_arrow_and_state() -> None:
    text = mermaid(WORKFLOW, run())
    assert text.startswith("flowchart TD\n")
    assert "  s_end --> s_ask\n" in text
    assert 's_ask{{"ask<br/>2 of operators<br/>waiting"}}' in text
    assert "  class s_fan running\n" in text
    assert "<b>" not in text.replace("<br/>", "")


def test_how_a_step_is_is_said_in_words() -> None:
    assert [state_of(step, run()) for step in STEPS] == [
        "done, try 2, made up for",
        "running 1 of 2",
        "waiting",
    ]


def test_an_svg_is_xml_that_says_what_it_shows() -> None:
    root = ET.fromstring(svg(WORKFLOW, run()))
    assert root.findtext(f"{SVG}title") == 'small: A "small" <one>'
    words = [text.text for text in root.iter(f"{SVG}text")]
    assert {"end", "fan", "ask", "running 1 of 2"} <= set(words)
    assert len(list(root.iter(f"{SVG}polyline"))) == 3


def test_a_png_has_the_size_of_the_layout_and_something_on_it() -> None:
    image = Image.open(io.BytesIO(png(WORKFLOW, run())))
    made = layout(WORKFLOW, run())
    assert abs(image.width - 2 * made.width) < 2
    assert len(image.getcolors(100_000) or ()) > 10


@st.composite
def graphs(draw: st.DrawFn) -> Workflow:
    steps = []
    for number in range(draw(st.integers(1, 12))):
        earlier = [f"s{n}" for n in range(number)]
        needs = draw(st.lists(st.sampled_from(earlier), unique=True)) if earlier else []
        steps.append(Step(id=f"s{number}", agent="a", do="x", needs=tuple(needs)))
    return Workflow(name="w", steps=tuple(steps))


@given(graphs())
def test_boxes_lie_apart_within_the_picture_and_arrows_point_down(workflow: Workflow) -> None:
    made = layout(workflow)
    boxes = {box.id: box for box in made.boxes}
    assert len(made.arrows) == sum(len(step.needs) for step in workflow.steps)
    for box in made.boxes:
        assert 0 < box.left <= box.left + box.width < made.width
        assert 0 < box.top <= box.top + box.height < made.height
        for other in made.boxes:
            side = abs(box.left - other.left) * 2 >= box.width + other.width - 1e-6
            apart = box.top != other.top or side
            assert other is box or apart
    for step in workflow.steps:
        assert all(boxes[n].top + boxes[n].height < boxes[step.id].top for n in step.needs)
    for arrow in made.arrows:
        assert [y for _, y in arrow] == sorted(y for _, y in arrow)
