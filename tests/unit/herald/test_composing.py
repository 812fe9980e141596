"""Posts are status text: whatever they quote, nobody is addressed, and no line is cut in two."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from bots.hearing.gate import addressees
from bots.herald import composing
from storage.happenings import Exchange, Refusal, Steered
from storage.project_tables import EntryKind, ProjectEntry

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NAMES = ("captain", "tech-lead", "buyer")
AGENTS = {name: name for name in NAMES}
names = st.sampled_from(NAMES)
words = st.text(max_size=500) | st.from_regex(
    r"(.{0,400}@?(captain|buyer|tech-lead)[:,] ?){1,3}[^\n]{0,400}", fullmatch=True
)


def quiet(text: str) -> None:
    """No line of it is for anybody, and each of them fits."""
    assert len(text.splitlines()) <= 13
    for line in text.split("\n"):
        assert line
        assert addressees(line, AGENTS, by_agent=True).agents == ()
        assert len(line.encode()) <= 300
        assert "\r" not in line


exchanges = st.builds(
    Exchange,
    at=st.just(NOON),
    speaker=names,
    listener=names,
    network=st.just("irc"),
    channel=st.sampled_from(["#lobby", "nick:buyer"]),
    text=words,
    is_answer=st.booleans(),
    trace_id=st.just("abcd"),
    talk=st.sampled_from(["", "T-9f3a21bc04"]),
)
steered = st.builds(
    Steered,
    at=st.just(NOON),
    verb=st.sampled_from(["kill", "resume"]),
    scope=names | st.just("all"),
    by=words,
    door=words,
    reason=words,
)
refusals = st.builds(
    Refusal,
    at=st.just(NOON),
    agent=names,
    verb=st.just("send"),
    target=words,
    policy=st.sampled_from(["latch", "budget"]),
    reason=words,
)
entries = st.builds(
    ProjectEntry,
    at=st.just(NOON),
    agent=names,
    by=words,
    kind=st.sampled_from(EntryKind),
    state=st.sampled_from(["done", "failed"]),
    title=words,
    text=words,
    ref=st.just("delegation:D-7k2m9qxa"),
    trace_id=st.just("abcd"),
)


@given(found=st.lists(exchanges, min_size=1, max_size=30), is_quoted=st.booleans())
def test_talk_between_agents_calls_nobody(found: list[Exchange], *, is_quoted: bool) -> None:
    quiet(composing.between_agents(found, lambda _: is_quoted).text)


@given(
    st.lists(steered, max_size=10),
    st.lists(refusals, max_size=10),
    st.dictionaries(names, words),
    st.lists(st.tuples(entries, st.booleans()), max_size=10),
)
def test_agent_logs_call_nobody(
    kills: list[Steered],
    refused: list[Refusal],
    states: dict[str, str],
    written: list[tuple[ProjectEntry, bool]],
) -> None:
    now: composing.Known = {name: ["degraded", why, 2] for name, why in states.items()}
    post = composing.logs({}, now, kills, refused, entries=written)
    told = bool(kills or now or written or any(r.policy != "latch" for r in refused))
    assert bool(post.text) is told
    assert post.urgent is any(k.verb == "kill" for k in kills)
    if post.text:
        quiet(post.text)
