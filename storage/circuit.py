"""A circuit breaker as a value and its rules (Michael Nygard, Release It!, Stability Patterns).

Closed: everybody may ask. Open: nobody, until a time. Half open, once that time has come: one
agent asks, and what comes of it closes the circuit or opens it again; an agent that dies over it
loses its turn after a while. Pure: the time is passed in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

#: before the first change
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Circuit:
    """How a provider is, as all agents together know it."""

    #: in a row
    failures: int = 0
    #: the last failure's sentence
    reason: str = ""
    #: None: closed; in the past: half open
    open_until: datetime | None = None
    #: agent that tries it while it is half open, and until when it is its turn
    probing_by: str = ""
    probing_until: datetime | None = None
    changed_at: datetime = _NEVER

    @property
    def is_closed(self) -> bool:
        return self.open_until is None

    @property
    def is_well(self) -> bool:
        """Closed, and nothing counts against it."""
        return self.is_closed and self.failures == 0

    def is_half_open(self, now: datetime) -> bool:
        return self.open_until is not None and self.open_until <= now

    def shut_until(self, now: datetime) -> datetime | None:
        """Until when nobody else may ask; None: the circuit is closed, or waits for a probe."""
        if self.open_until is None:
            return None
        if now < self.open_until:
            return self.open_until
        if self.probing_until is not None and now < self.probing_until:
            return self.probing_until
        return None


def probed(circuit: Circuit, agent: str, *, now: datetime, turn_s: float) -> Circuit:
    """`agent` takes the probe's turn, good for `turn_s` seconds, where there is one to take."""
    if not circuit.is_half_open(now) or circuit.shut_until(now) is not None:
        return circuit
    until = now + timedelta(seconds=turn_s)
    return replace(circuit, probing_by=agent, probing_until=until, changed_at=now)


def put_back(circuit: Circuit, agent: str, *, now: datetime) -> Circuit:
    """`agent` learnt nothing about the provider: its turn is somebody else's."""
    if circuit.probing_by != agent or circuit.is_closed:
        return circuit
    return replace(circuit, probing_by="", probing_until=None, changed_at=now)


def failed(
    circuit: Circuit,
    reason: str,
    *,
    now: datetime,
    threshold: int,
    open_s: float,
    last_success: datetime | None = None,
) -> Circuit:
    """One more failure: the `threshold`-th in a row, or a probe's, opens it for `open_s` seconds.

    `last_success` is what the caller itself saw: successes are not written down as long as all is
    well, and one after the last change ends the row. What comes late, from a call that began before
    the circuit opened, changes nothing.
    """
    if circuit.open_until is not None and now < circuit.open_until:
        return circuit
    before = circuit.failures
    if circuit.is_closed and last_success is not None and last_success > circuit.changed_at:
        before = 0
    failures = before + 1
    opens = not circuit.is_closed or failures >= threshold
    open_until = now + timedelta(seconds=open_s) if opens else None
    return Circuit(failures=failures, reason=reason, open_until=open_until, changed_at=now)


def succeeded(circuit: Circuit, *, now: datetime) -> Circuit:
    """The provider answered. While the circuit is open that is an answer from before it was."""
    if circuit.open_until is not None and now < circuit.open_until:
        return circuit
    return circuit if circuit.is_well else Circuit(changed_at=now)
