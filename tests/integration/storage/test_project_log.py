"""The project log in the store: what ends is told with its end, once, by who did it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from storage import delegating, project_log
from storage.delegating import Outcome
from storage.delegation_tables import DelegationState
from storage.project_log import Standing
from storage.project_tables import EntryKind, ProjectEntry, ProjectStatus
from storage.store import Store
from storage.unit import Unit
from tests.integration.storage.test_delegations import at, claimed, finished, given

FAILED = Outcome(state=DelegationState.FAILED, error="no such log")


def status(state: ProjectStatus, seconds: float, sentence: str = "so it is") -> ProjectEntry:
    return ProjectEntry(
        at=at(seconds),
        agent="captain",
        by="agent:captain",
        kind=EntryKind.STATUS,
        state=state,
        text=sentence,
        trace_id="t",
    )


async def logged(store: Store) -> list[tuple[str, str, str, str]]:
    lines = await store.read(lambda unit: project_log.between(unit, 0, 1_000))
    return [(line.agent, line.state, line.title, line.text) for line in lines]


async def added(store: Store, *entries: ProjectEntry) -> None:
    async with store.writing() as unit:
        for entry in entries:
            await project_log.add(unit, entry)


async def test_a_result_is_in_the_log_with_the_outcome_and_a_lost_claim_logs_nothing(
    store: Store,
) -> None:
    held = await claimed(store, await given(store, network="irc", channel="#lobby"))
    assert held is not None
    assert await logged(store) == []
    assert not await finished(store, held.model_copy(update={"claim": 7}))
    assert await logged(store) == []
    assert await finished(store, held)
    assert not await finished(store, held)
    assert await logged(store) == [("secretary", "done", "summarise #ubuntu", "here it is")]
    [line] = await store.read(lambda unit: project_log.since(unit, at(5), at(6)))
    assert (line.kind, line.by, line.ref) == (EntryKind.RESULT, "shell", "delegation:D-1")
    assert (line.network, line.channel, line.at) == ("irc", "#lobby", at(5))


async def test_a_transaction_that_fails_leaves_no_line(store: Store) -> None:
    held = await claimed(store, await given(store))
    assert held is not None

    async def dies(unit: Unit) -> None:
        await delegating.finish(unit, held, FAILED, at(5))
        raise KeyError("the process dies")

    with pytest.raises(KeyError):
        await store.write(dies)
    assert await logged(store) == []


async def test_what_failed_was_cancelled_or_ran_out_of_time_is_logged_with_the_reason(
    store: Store,
) -> None:
    held = await claimed(store, await given(store))
    assert held is not None
    await finished(store, held, FAILED)
    dropped, late = await given(store, "D-2"), await given(store, "D-3")
    await store.write(lambda unit: delegating.cancel(unit, dropped, "cancelled by alice", at(9)))
    await store.write(lambda unit: delegating.expire(unit, at(9_999)))
    assert late.id is not None
    assert [(state, text) for _, state, _, text in await logged(store)] == [
        ("failed", "no such log"),
        ("cancelled", "cancelled by alice"),
        ("expired", "nobody finished it by its deadline"),
    ]


async def test_what_was_passed_on_is_told_by_who_did_it(store: Store) -> None:
    above = await claimed(store, await given(store, "D-1", passed_to="buyer"))
    assert above is not None
    below = await given(store, "D-2", agent="buyer", parent_id=above.id, root_id=above.id)
    held = await claimed(store, below)
    assert held is not None
    await finished(store, held)
    await finished(store, above)
    assert [agent for agent, *_ in await logged(store)] == ["buyer"]
    # Nobody took it on: then who should have passed it on tells.
    alone = await claimed(store, await given(store, "D-3", passed_to="buyer"))
    assert alone is not None
    await finished(store, alone, FAILED)
    assert [agent for agent, *_ in await logged(store)] == ["buyer", "secretary"]


async def test_private_work_is_logged_as_asked_in_private(store: Store) -> None:
    held = await claimed(store, await given(store, network="irc", is_private=True))
    assert held is not None
    await finished(store, held)
    [line] = await store.read(lambda unit: project_log.since(unit, at(5), at(6)))
    assert (line.network, line.channel) == ("irc", project_log.PRIVATE)


async def test_talk_and_wakes_are_no_results(store: Store) -> None:
    for number, kind in enumerate(("wake", "talk")):
        held = await claimed(store, await given(store, f"D-{number}", kind=kind))
        assert held is not None
        await finished(store, held)
    assert await logged(store) == []


async def test_long_words_are_cut_and_odd_ones_kept_in_one_line(store: Store) -> None:
    held = await claimed(store, await given(store, instruction="a\n" * 500))
    assert held is not None
    await finished(store, held, Outcome(state=DelegationState.DONE, result="b\0\n\ud800" * 900))
    [(_, _, title, text)] = await logged(store)
    assert len(title) == project_log.LONGEST_TITLE
    assert len(text) == project_log.LONGEST_TEXT
    assert "\n" not in title + text
    assert "\0" not in text


async def test_how_the_project_stands_is_the_newest_status_since_the_first_of_its_run(
    store: Store,
) -> None:
    async def stands() -> Standing | None:
        return await store.read(project_log.standing)

    assert await stands() is None
    active, blocked = ProjectStatus.ACTIVE, ProjectStatus.BLOCKED
    await added(store, status(active, 1), status(blocked, 2), status(active, 3))
    await added(store, status(active, 9, "it goes well"))
    now = await stands()
    assert now is not None
    assert (now.status, now.sentence, now.by) == (active, "it goes well", "agent:captain")
    assert (now.since, now.at) == (at(3), at(9))


async def test_a_line_is_read_when_none_older_can_come_after_it(store: Store) -> None:
    await added(store, status(ProjectStatus.PLANNED, 0), status(ProjectStatus.ACTIVE, 10))

    async def newest(seconds: float) -> int:
        return await store.read(lambda unit: project_log.newest(unit, at(seconds)))

    settled = project_log.SETTLED.total_seconds()
    first, second = await newest(settled), await newest(10 + settled)
    assert await newest(-1) == 0
    assert 0 < first < second
    assert await newest(9 + settled) == first


async def test_results_are_counted_by_agent_and_outcome_between_two_moments(store: Store) -> None:
    def result(agent: str, state: str, seconds: float) -> ProjectEntry:
        entry = status(ProjectStatus.DONE, seconds)
        entry.agent, entry.kind, entry.state = agent, EntryKind.RESULT, state
        return entry

    await added(store, result("buyer", "done", 0), result("buyer", "done", 10))
    await added(store, result("buyer", "done", 19), result("buyer", "failed", 15))
    await added(store, result("captain", "done", 20), status(ProjectStatus.DONE, 15))
    counted = await store.read(lambda unit: project_log.results(unit, at(10), at(20)))
    assert counted == {"buyer": {"done": 2, "failed": 1}}


async def test_old_lines_go_but_never_how_the_project_stands(store: Store) -> None:
    await added(store, status(ProjectStatus.PLANNED, 0), status(ProjectStatus.ACTIVE, 10))
    held = await claimed(store, await given(store))
    assert held is not None
    await finished(store, held)
    before = datetime(2027, 1, 1, tzinfo=UTC) + timedelta(days=1)
    assert await store.write(lambda unit: project_log.prune(unit, before)) == 2
    assert [state for _, state, _, _ in await logged(store)] == ["active"]
