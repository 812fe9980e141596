"""A steering command means whom it names, never more by mistake when something is opened."""

import pytest

from bots.commands.parse import parse
from bots.commands.steering import ScopeError, scope_of

AGENTS = frozenset({"captain", "auditor", "tech-lead"})


def scope(line: str) -> tuple[str, str]:
    spoken = parse(line, "!")
    assert spoken is not None
    return scope_of(spoken, AGENTS)


@pytest.mark.parametrize(
    ("line", "named", "reason"),
    [
        ("!kill", "all", ""),
        ("!kill all", "all", ""),
        ("!kill all it loops", "all", "it loops"),
        ("!kill auditor it loops", "auditor", "it loops"),
        ("!kill agent:auditor it loops", "auditor", "it loops"),
        ("!resume all calm again", "all", "calm again"),
        ("!resume Auditor calm again", "auditor", "calm again"),
        ("!restart tech-lead", "tech-lead", ""),
    ],
)
def test_whom_a_command_means(line: str, named: str, reason: str) -> None:
    assert scope(line) == (named, reason)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("!resume auditr fixed", "did you mean auditor"),
        ("!resume role:auditor fixed", "did you mean auditor"),
        ("!resume fixed", "say whom"),
        ("!restart", "say whom"),
        ("!kill nobody", "say whom"),
        ("!kill everything burns", "say whom"),
        ("!kill agent:captian runaway", "did you mean captain"),
        ("!kill captian runaway", "did you mean captain"),
        ("!kill agent:nobody", "not 'agent:nobody'"),
    ],
)
def test_what_is_not_understood_does_nothing_and_says_so(line: str, says: str) -> None:
    with pytest.raises(ScopeError, match=says):
        scope(line)
