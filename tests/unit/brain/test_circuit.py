"""The rules of the circuit breaker: shut after failures in a row, and one probe at a time."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from storage.circuit import Circuit, failed, probed, put_back, succeeded
from tests.unit.brain.troupe import NOON

TURN_S = 30
AGENTS = st.sampled_from(["captain", "auditor", "secretary"])


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def broken(circuit: Circuit, at_s: float, *, last_success: datetime | None = None) -> Circuit:
    return failed(
        circuit, "busy", now=after(at_s), threshold=5, open_s=60, last_success=last_success
    )


def open_circuit() -> Circuit:
    circuit = Circuit()
    for n in range(5):
        circuit = broken(circuit, n)
    return circuit


def test_five_failures_in_a_row_open_it_for_a_minute() -> None:
    circuit = Circuit()
    for n in range(4):
        circuit = broken(circuit, n)
        assert circuit.is_closed
    circuit = broken(circuit, 4)
    assert circuit.shut_until(after(5)) == after(64)
    assert circuit.shut_until(after(64)) is None
    assert (circuit.failures, circuit.reason) == (5, "busy")


def test_a_success_ends_the_row() -> None:
    circuit = Circuit()
    for n in range(4):
        circuit = broken(circuit, n)
    circuit = broken(succeeded(circuit, now=after(5)), 6)
    assert (circuit.failures, circuit.is_closed) == (1, True)


def test_a_success_that_nobody_wrote_down_ends_the_row_too() -> None:
    circuit = Circuit()
    for n in range(4):
        circuit = broken(circuit, n)
    assert broken(circuit, 6, last_success=after(2)).failures == 5
    assert broken(circuit, 6, last_success=after(5)).failures == 1


def test_all_is_well_without_a_change() -> None:
    circuit = Circuit()
    assert succeeded(circuit, now=after(1)) is circuit


def test_half_open_one_agent_has_the_turn_until_it_runs_out() -> None:
    circuit = probed(open_circuit(), "captain", now=after(64), turn_s=TURN_S)
    assert (circuit.probing_by, circuit.shut_until(after(65))) == ("captain", after(94))
    for agent in ("captain", "auditor"):
        assert probed(circuit, agent, now=after(93), turn_s=TURN_S) is circuit
    assert probed(circuit, "auditor", now=after(94), turn_s=TURN_S).probing_by == "auditor"


def test_a_turn_that_taught_nothing_is_the_next_ones() -> None:
    circuit = probed(open_circuit(), "captain", now=after(64), turn_s=TURN_S)
    assert put_back(circuit, "auditor", now=after(65)) is circuit
    circuit = put_back(circuit, "captain", now=after(65))
    assert circuit.shut_until(after(65)) is None
    assert probed(circuit, "auditor", now=after(66), turn_s=TURN_S).probing_by == "auditor"


def test_a_probes_success_closes_and_its_failure_opens_again() -> None:
    circuit = probed(open_circuit(), "captain", now=after(64), turn_s=TURN_S)
    assert succeeded(circuit, now=after(66)) == Circuit(changed_at=after(66))
    again = broken(circuit, 66)
    assert (again.shut_until(after(66)), again.probing_by) == (after(126), "")


def test_what_comes_late_changes_nothing_while_it_is_open() -> None:
    circuit = open_circuit()
    assert broken(circuit, 30) is circuit
    assert succeeded(circuit, now=after(30)) is circuit
    assert probed(circuit, "captain", now=after(30), turn_s=TURN_S) is circuit


def test_with_a_threshold_of_one_it_opens_at_once() -> None:
    circuit = failed(Circuit(), "login", now=NOON, threshold=1, open_s=30)
    assert circuit.shut_until(after(1)) == after(30)


class Breakers(RuleBasedStateMachine):
    """Whatever happens in whichever order, against a memory of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.circuit = Circuit()
        self.at_s = 0.0
        self.row = 0
        self.probers: list[tuple[str, float]] = []

    @property
    def now(self) -> datetime:
        return after(self.at_s)

    @rule(seconds=st.integers(1, 70))
    def time_goes_by(self, seconds: int) -> None:
        self.at_s += seconds

    @rule(agent=AGENTS)
    def somebody_asks(self, agent: str) -> None:
        before = self.circuit
        self.circuit = probed(before, agent, now=self.now, turn_s=TURN_S)
        if self.circuit != before:
            assert before.is_half_open(self.now)
            assert all(self.at_s >= until_s for _, until_s in self.probers)
            self.probers = [(agent, self.at_s + TURN_S)]

    @rule()
    def a_call_fails(self) -> None:
        before = self.circuit
        self.circuit = broken(before, self.at_s)
        if self.circuit is not before:
            self.row += 1
            self.probers = []
            assert self.circuit.is_closed == (before.is_closed and self.row < 5)

    @rule()
    def a_call_succeeds(self) -> None:
        was_open = self.circuit.open_until is not None and self.now < self.circuit.open_until
        self.circuit = succeeded(self.circuit, now=self.now)
        if not was_open:
            self.row = 0
            self.probers = []
            assert self.circuit.is_well

    @precondition(lambda self: bool(self.probers))
    @rule()
    def the_prober_learns_nothing(self) -> None:
        ((agent, _),) = self.probers
        self.circuit = put_back(self.circuit, agent, now=self.now)
        self.probers = []

    @invariant()
    def it_adds_up(self) -> None:
        assert self.circuit.failures == self.row
        assert self.circuit.changed_at <= self.now
        assert bool(self.circuit.probing_by) == (self.circuit.probing_until is not None)
        if self.circuit.is_closed:
            assert not self.circuit.probing_by
            assert self.circuit.shut_until(self.now) is None

    @invariant()
    def it_never_shuts_for_longer_than_it_said(self) -> None:
        until = self.circuit.shut_until(self.now)
        if until is not None:
            assert self.now < until <= self.now + timedelta(seconds=60)
        later = self.now + timedelta(seconds=60)
        assert self.circuit.shut_until(later) is None


TestBreakers = Breakers.TestCase
TestBreakers.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
