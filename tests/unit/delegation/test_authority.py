"""Who may hand work to whom: whatever swarm.toml says, no cycle, no way back up, no way around."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from brain.delegation.authority import ALL, Authority

NAMES = ("captain", "lead", "a", "b", "c")
SHIPPED = Authority(
    {
        "captain": [ALL],
        "lead": ["a", "b", "c"],
        "a": ["captain", "lead"],
        "b": ["captain", "lead"],
        "c": [],
    },
    max_hops=4,
)


def test_the_shipped_order() -> None:
    assert SHIPPED.may_give("captain", "lead")
    assert not SHIPPED.may_give("captain", "captain")
    assert not SHIPPED.may_give("lead", "captain")
    assert not SHIPPED.may_give("a", "b")
    assert not SHIPPED.may_give("captain", "stranger")
    assert SHIPPED.mediators("a", "b", ("a",)) == ["lead", "captain"]
    assert SHIPPED.mediators("lead", "captain", ("lead",)) == []
    assert SHIPPED.mediators("c", "a", ("c",)) == []


def test_a_no_says_why() -> None:
    assert "no agent 'stranger'" in SHIPPED.objection("captain", "stranger", ("captain",))
    assert "may not give work to captain" in SHIPPED.objection("lead", "captain", ("lead",))
    assert "hands already" in SHIPPED.objection("a", "lead", ("lead", "a"))
    long = ("captain", "lead", "a", "b", "c")
    assert "5 agents already" in Authority({n: [ALL] for n in (*NAMES, "d")}, 4).objection(
        "c", "d", long
    )


@given(
    st.dictionaries(
        st.sampled_from(NAMES), st.lists(st.sampled_from([*NAMES, ALL]), max_size=4), min_size=2
    ),
    st.integers(1, 5),
    st.data(),
)
def test_however_it_wanders_nobody_gets_it_twice_and_each_step_is_allowed(
    allowed: dict[str, list[str]], max_hops: int, data: st.DataObject
) -> None:
    authority = Authority(allowed, max_hops)
    chain = [data.draw(st.sampled_from(sorted(allowed)))]
    for _ in range(8):
        receiver = data.draw(st.sampled_from(NAMES))
        sender = chain[-1]
        if not authority.objection(sender, receiver, chain):
            chain.append(receiver)
            continue
        through = authority.mediators(sender, receiver, chain)
        if through:
            # Whoever passes it on may do so, and had to be allowed to get it.
            assert not authority.objection(sender, through[0], chain)
            assert not authority.objection(through[0], receiver, [*chain, through[0]])
    assert len(set(chain)) == len(chain)
    assert len(chain) <= max_hops + 1
    assert all(authority.may_give(one, other) for one, other in pairwise(chain))
