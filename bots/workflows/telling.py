"""A run in words, from its rows alone. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from storage.workflow_states import FINAL, State
from storage.workflow_tables import WorkflowRun
from storage.workflows import StepRow

MARKS: Final[Mapping[State, str]] = {
    State.WAITING: "⚪",
    State.RUNNING: "🔵",
    State.GATED: "🟡",
    State.DONE: "🟢",
    State.FAILED: "🔴",
    State.SKIPPED: "⏭️",
    State.CANCELLED: "⚫",
}
#: of the 2,000 characters that a message may have
_WHOLE: Final = 1_900
_OUTPUT: Final = 700
_REASON: Final = 120
_MARKUP: Final = re.compile(r"[`*_~|<>\\]")


def board(run: WorkflowRun, rows: Sequence[StepRow]) -> str:
    """What the one message about a run says, as it is now."""
    head = f"**{run.code}** {run.name}, started by {_plain(run.started_by)}: **{run.state}**"
    if run.ending and run.state not in FINAL:
        head += f", will be {run.ending}"
    why = f"\n{_short(run.why)}" if run.why else ""
    lines = [line(row, rows) for row in rows if row.item < 0 and not row.undo]
    made_up = [row for row in rows if row.undo]
    if made_up:
        lines.append(f"Made up for: {', '.join(_undone(row) for row in made_up)}")
    text = f"{head}{why}\n" + "\n".join(lines)
    if run.state == State.DONE and run.output:
        text += f"\n{_cut(_plain(run.output), _OUTPUT)}"
    return _cut(text, _WHOLE)


def line(row: StepRow, rows: Sequence[StepRow]) -> str:
    """One step: ``🔵 survey: running, 2 of 4 done, a harvester``."""
    words = [str(row.state)]
    if row.size is not None:
        items = [one for one in rows if one.step == row.step and one.item >= 0 and not one.undo]
        words.append(f"{sum(one.state is State.DONE for one in items)} of {row.size} done")
    if row.attempt > 1:
        words.append(f"try {row.attempt}")
    if row.state is State.GATED and row.reference:
        words.append(row.reference)
    elif row.doer and row.state in {State.RUNNING, State.DONE, State.FAILED}:
        words.append(row.doer)
    if row.error and row.state is not State.DONE:
        words.append(_short(row.error))
    return f"{MARKS[row.state]} {row.step}: {', '.join(words)}"


def _undone(row: StepRow) -> str:
    name = row.step if row.item < 0 else f"{row.step}[{row.item}]"
    return name if row.state is State.DONE else f"{name} ({row.state})"


def _short(text: str) -> str:
    return _cut(" ".join(_plain(text).split()), _REASON)


def _plain(text: str) -> str:
    """Without marks that would be more than words."""
    return _MARKUP.sub(lambda found: f"\\{found[0]}", text).replace("@", "@\N{ZERO WIDTH SPACE}")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 2]} …"
