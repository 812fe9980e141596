"""What the templates of a workflow come to in one run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from brain.workflows.definition import Input, Step, Workflow
from brain.workflows.progress import Key, Order, Progress, Task
from brain.workflows.templating import TemplateFailed, Told, evaluate, render
from storage.workflow_states import FINAL, State


class InputMissing(Exception):
    """What a run was given does not fit; the sentence says what to give."""


@dataclass(frozen=True)
class Words:
    """`progress.Words` of one run."""

    workflow: Workflow
    inputs: Mapping[str, Any]
    #: `templating.RUN_FIELDS`
    run: Mapping[str, str]

    def chooses(self, step: Step, progress: Progress) -> bool:
        assert step.when is not None
        return bool(evaluate(step.when, self._told(progress)))

    def items(self, step: Step, progress: Progress) -> Sequence[Any]:
        if isinstance(step.for_each, str):
            found = evaluate(step.for_each, self._told(progress))
        else:
            found = step.for_each
        if not isinstance(found, list | tuple):
            raise TemplateFailed(f"for_each gives no list but {_kind(found)}; `| lines` makes one")
        try:
            # As it will be after it was stored.
            return list(json.loads(json.dumps(found)))
        except (TypeError, ValueError) as error:
            raise TemplateFailed(f"for_each gives what cannot be stored: {error}") from None

    def order(self, step: Step, progress: Progress, task: Task) -> Order:
        assert step.do is not None
        told = self._told(progress, step, task)
        text = render(step.do, told)
        if not text:
            raise TemplateFailed("`do` comes to nothing")
        return Order(text, render(step.post_to, told) if step.post_to else "")

    def title(self, step: Step, progress: Progress) -> str:
        assert step.gate is not None
        return render(step.gate.title, self._told(progress))

    def undo(self, step: Step, progress: Progress, key: Key) -> str:
        assert step.compensate is not None
        task = progress.tasks[key]
        told = self._told(progress, step, task)
        # Of a step that fanned out: what this very item came to.
        own = {step.id: (task.result, str(State.DONE))}
        return render(step.compensate, replace(told, steps={**told.steps, **own}))

    def output(self, progress: Progress) -> str:
        assert self.workflow.output is not None
        return render(self.workflow.output, self._told(progress))

    def _told(self, progress: Progress, step: Step | None = None, task: Task | None = None) -> Told:
        over = {
            s.id: (_result(progress, s.id), str(progress.of(s.id).state))
            for s in self.workflow.steps
            if progress.of(s.id).state in FINAL
        }
        fans = step is not None and step.for_each is not None
        item = task.value if fans and task is not None else None
        return Told(inputs=self.inputs, steps=over, run=self.run, item=item, has_item=fans)


def given(workflow: Workflow, values: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs of a run: what was given, checked, and the defaults of the rest.

    A list may be given as a text with commas. Raises `InputMissing`.
    """
    odd = sorted(set(values) - set(workflow.inputs))
    if odd:
        known = ", ".join(workflow.inputs) or "none"
        raise InputMissing(f"{workflow.name} has no input {odd[0]!r}; there are {known}")
    return {
        name: _given(workflow, name, wanted, values) for name, wanted in workflow.inputs.items()
    }


def _given(workflow: Workflow, name: str, wanted: Input, values: Mapping[str, Any]) -> Any:
    value = values.get(name)
    if value is None or value == "":
        if wanted.required:
            what = f" ({wanted.description})" if wanted.description else ""
            raise InputMissing(f"{workflow.name} needs the input {name!r}{what}")
        value = wanted.default
    if wanted.kind == "list":
        if value is None:
            return []
        if isinstance(value, str):
            return [one.strip() for one in value.split(",") if one.strip()]
        if not isinstance(value, list):
            raise InputMissing(f"the input {name!r} is a list: give values with commas")
        return value
    return "" if value is None else value


def _result(progress: Progress, step: str) -> str | list[str]:
    whole = progress.of(step)
    if whole.size is None:
        return whole.result
    return [progress.tasks[Key(step, n)].result for n in range(whole.size)]


def _kind(value: Any) -> str:
    return "a text" if isinstance(value, str) else f"a {type(value).__name__}"
