"""What a workflow's file says, as values. `reading` makes them of YAML and says what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

#: names that templates use, so no hyphens
Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
#: a Jinja template, or a Jinja expression without its braces
Template = Annotated[str, Field(min_length=1, max_length=8000)]
Expression = Annotated[str, Field(min_length=1, max_length=1000)]
#: who may decide at a gate: whoever may steer the swarm, a Discord user's id, a Discord role's id,
#: a services account on IRC
Approver = Annotated[str, Field(pattern=r"^(operators|user:\d+|role:\d+|account:\S+)$")]

#: everybody who may steer the swarm
OPERATORS: Final = "operators"
DAY_S: Final = 86_400.0
MOST_STEPS: Final = 100
#: a step fans out over no more than this
MOST_ITEMS: Final = 100


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Input(Part):
    """A value that whoever starts a run gives, such as `--input topic=mixers`."""

    description: str = ""
    #: `list`: given on a command line, its values stand between commas
    kind: Literal["text", "list"] = "text"
    default: JsonValue = None
    #: left out, a run takes the default
    required: bool = False

    @model_validator(mode="after")
    def _default_fits(self) -> Input:
        if self.required and self.default is not None:
            raise ValueError("what is required needs no default: leave one of the two out")
        if self.kind == "list" and not isinstance(self.default, list | None):
            raise ValueError("the default of a list is a list")
        return self


class Retry(Part):
    """How often a step that failed is tried again, and after which rests."""

    #: tries after the first one
    times: int = Field(default=2, ge=0, le=20)
    wait_s: float = Field(default=5.0, ge=0, le=DAY_S)
    #: each rest is so many times the one before it
    factor: float = Field(default=2.0, ge=1, le=10)

    def rest_s(self, attempt: int) -> float:
        """Seconds between the end of this attempt (the first is 1) and the next one."""
        return float(min(self.wait_s * self.factor ** (attempt - 1), DAY_S))


class Gate(Part):
    """A step that people decide. One no is a no; silence, too."""

    title: Template
    approvers: tuple[Approver, ...] = Field(default=(OPERATORS,), min_length=1)
    #: so many different people have to say yes
    quorum: int = Field(default=1, ge=1, le=20)
    expires_s: float = Field(default=DAY_S, gt=0, le=30 * DAY_S)
    #: whether a no ends the run, or passes over what needs the gate
    on_reject: Literal["fail", "skip"] = "fail"

    @model_validator(mode="after")
    def _can_be_reached(self) -> Gate:
        people = set(self.approvers)
        if all(who.startswith(("user:", "account:")) for who in people) and self.quorum > len(
            people
        ):
            raise ValueError(f"a quorum of {self.quorum} among {len(people)} approvers never comes")
        return self


class Step(Part):
    """One thing to be done: by an agent, by whoever can (`capability`), or by people (`gate`)."""

    id: Word
    agent: str | None = None
    capability: str | None = None
    gate: Gate | None = None
    #: what it is asked, as a template
    do: Template | None = None
    #: steps that must be over before
    needs: tuple[str, ...] = ()
    #: `all`: skipped once one of `needs` was skipped; `any`: only when all of them were
    join: Literal["all", "any"] = "all"
    #: an expression that gives a list, or a list: once for each `item`, side by side
    for_each: Expression | tuple[JsonValue, ...] | None = None
    #: skipped unless this expression is true
    when: Expression | None = None
    retry: Retry = Retry(times=0)
    #: of one attempt
    timeout_s: float = Field(default=600.0, ge=1, le=DAY_S)
    #: what it is asked when it was done and the run ends otherwise than well
    compensate: Template | None = None
    #: where its result is said, such as "#reports"
    post_to: Template | None = None

    @model_validator(mode="after")
    def _has_one_doer(self) -> Step:
        doers = [self.agent, self.capability, self.gate]
        if sum(doer is not None for doer in doers) != 1:
            raise ValueError("a step has exactly one of agent, capability and gate")
        if self.gate is None and self.do is None:
            raise ValueError("a step that an agent does needs `do`: what it is asked")
        if self.gate is not None:
            odd = self.model_fields_set & _NOT_OF_GATES
            if odd:
                raise ValueError(f"a gate has no {min(odd)!r}: people decide it")
        return self

    @property
    def doer(self) -> str:
        """Who does it, in a few words."""
        if self.gate is not None:
            return "people"
        return self.agent or f"whoever can {self.capability}"


_NOT_OF_GATES: Final = {"do", "for_each", "retry", "timeout_s", "compensate", "post_to"}


class Workflow(Part):
    """One workflow file."""

    model_config = ConfigDict(extra="forbid", frozen=True, ignored_types=(cached_property,))

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=40)]
    description: str = ""
    inputs: Mapping[Word, Input] = Field(default_factory=dict)
    steps: tuple[Step, ...] = Field(min_length=1, max_length=MOST_STEPS)
    #: what the run says at its end, as a template
    output: Template | None = None

    @cached_property
    def by_id(self) -> Mapping[str, Step]:
        return {step.id: step for step in self.steps}

    def step(self, name: str) -> Step:
        return self.by_id[name]

    def above(self, name: str) -> frozenset[str]:
        """The steps that are over before this one begins. No cycle may be in the way."""
        found: set[str] = set()
        todo = list(self.by_id[name].needs)
        while todo:
            one = todo.pop()
            if one not in found and one in self.by_id:
                found.add(one)
                todo += self.by_id[one].needs
        return frozenset(found)


def schema() -> dict[str, object]:
    """The JSON schema of workflow files (draft 2020-12), for editors."""
    made = Workflow.model_json_schema()
    made["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    made["title"] = "A Parley workflow"
    return made
