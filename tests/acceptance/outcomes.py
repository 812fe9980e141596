"""What must be true of work that was handed over, whatever happened meanwhile: given once, ended
once, done once, told at most once.
"""

from __future__ import annotations

import json
import re
from collections import Counter

from tests.acceptance.crowd import Watcher
from tests.acceptance.givers import GIVERS, Wish
from tests.acceptance.stage import Swarm

_OPEN = ("queued", "claimed", "working")
_WORD = re.compile(rf"(?:{'|'.join(GIVERS)})word\d+")


def unsettled(one: Swarm) -> list[tuple[object, ...]]:
    """What is not over yet, or not said yet."""
    owed = one.rows(
        "select code, agent, passed_to, state, claim, tries, deliver, deliver_by, error "
        "from delegation where state in ('queued', 'claimed', 'working') "
        "or deliver in ('wanted', 'owed')"
    )
    sending = one.rows("select id, agent, target, text from reply where state = 'sending'")
    return [*owed, *sending]


def story(one: Swarm) -> str:
    """How many ended how, and why some failed."""
    ends = one.rows("select state, deliver, count(*) from delegation group by 1, 2 order by 1, 2")
    whys = one.rows(
        "select error, count(*) from delegation where state = 'failed' group by 1 order by 2 desc"
    )
    return f"{ends}; failed: {whys}"


def given_once(one: Swarm, wishes: list[Wish]) -> None:
    """Each key exists once, under the one code that every answer to it had."""
    kept = one.rows("select idempotency_key, code from delegation where parent_id is null")
    assert dict(kept) == {wish.key: min(wish.codes) for wish in wishes}
    assert len(kept) == len(wishes)
    assert [wish for wish in wishes if len(wish.codes) != 1] == []
    passed = one.rows(
        "select parent_id from delegation where parent_id is not null "
        "group by 1 having count(*) > 1"
    )
    assert passed == [], "passed on twice"


def ended_once(one: Swarm) -> None:
    """The audit has the way of each: claims that rise by one, and one end."""
    ways = _ways(one)
    rows = one.rows(
        "select code, agent, state, claim, finished_at, result, instruction from delegation"
    )
    for code, agent, state, claim, finished_at, result, instruction in rows:
        way = ways.get(f"delegation:{code}", [])
        told = f"{code} of {agent} ({state}): {way}"
        ends = [step for step in way if step[1] not in _OPEN]
        assert [to for _, to, _ in ends] == [state], told
        assert way[-1] == ends[0], told
        claims = [number for _, to, number in way if to == "claimed"]
        assert claims == list(range(1, claim + 1)), told
        before = "queued"
        for left, to, _ in way:
            assert left in {"claimed", "working"} if before == "claimed" else left == before, told
            before = to
        assert finished_at is not None, told
        if state == "done":
            assert word_in(instruction) in result, f"{told}: {result}"


def _ways(one: Swarm) -> dict[str, list[tuple[str, str, int]]]:
    """By target: from which state, to which, under which claim; oldest first."""
    ways: dict[str, list[tuple[str, str, int]]] = {}
    for target, details in one.rows(
        "select target, details from audit where verb = 'transition' order by id"
    ):
        step = json.loads(details)
        ways.setdefault(target, []).append((step["from"], step["to"], step["claim"]))
    return ways


def cancelled_stay(one: Swarm, wishes: list[Wish]) -> None:
    """Who was told that it is cancelled was told the truth, and nothing goes on below it."""
    now = dict(one.rows("select code, state from delegation"))
    for wish in wishes:
        if wish.state_when_cancelled:
            assert now[min(wish.codes)] == wish.state_when_cancelled, wish
    below = one.rows(
        "select child.code, child.state from delegation child "
        "join delegation parent on parent.id = child.parent_id "
        "where parent.state = 'cancelled' and child.state = 'done' "
        "and child.finished_at > parent.finished_at"
    )
    assert below == []


def done_once(one: Swarm) -> None:
    """What a tool changes is changed once, however often its worker dies."""
    noted = Counter(word_in(text) for (text,) in one.rows("select text from note"))
    twice = {word: count for word, count in noted.items() if count > 1}
    assert not twice, f"noted more than once: {twice}"
    print(f"{len(noted)} notes")


def told_once(one: Swarm, watcher: Watcher) -> None:
    """`sent` was heard once, `failed` never, and what nothing proves at most once."""
    heard: Counter[str] = Counter()
    for line in watcher.delivered:
        heard[word_in(line.text)] += 1
    for instruction, deliver, proof in one.rows(
        "select instruction, deliver, delivered_proof from delegation where parent_id is null"
    ):
        word = word_in(instruction)
        allowed = {"sent": {1}, "unknown": {0, 1}}.get(deliver, {0})
        assert heard[word] in allowed, f"{word} {deliver} ({proof}) was heard {heard[word]} times"


def word_in(text: str) -> str:
    """The word that tells one wish from the others; empty: there is none."""
    found = _WORD.findall(text)
    return found[-1] if found else ""
