"""One JSON line a figure, and what is needed to judge it: target, spread, machine, load."""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Target:
    kind: Literal["at most", "at least"]
    value: float

    def met_by(self, value: float) -> bool:
        return value <= self.value if self.kind == "at most" else value >= self.value


def at_most(value: float) -> Target:
    return Target("at most", value)


def at_least(value: float) -> Target:
    return Target("at least", value)


def report(
    benchmark: str,
    figure: str,
    value: float,
    unit: str,
    *,
    target: Target | None = None,
    note: str = "",
) -> None:
    """Print one figure; without a target it only informs (`met` is null)."""
    line = {
        "benchmark": benchmark,
        "figure": figure,
        "value": round(value, 3),
        "unit": unit,
        "target": f"{target.kind} {target.value:g}" if target else None,
        "met": target.met_by(value) if target else None,
        "machine": machine(),
        "note": note,
    }
    print(json.dumps(line), flush=True)


def skipped(benchmark: str, why: str) -> None:
    """Say on the same channel that something was not measured."""
    line = {"benchmark": benchmark, "skipped": why, "machine": machine()}
    print(json.dumps(line), flush=True)


def spread(values: Sequence[float], digits: int = 1) -> str:
    """``median 3.1, 2.8 to 4.0 in 5 runs``."""
    middle = statistics.median(values)
    low, high = min(values), max(values)
    return f"median {middle:.{digits}f}, {low:.{digits}f} to {high:.{digits}f} in {len(values)}"


def percentile(values: Sequence[float], percent: float) -> float:
    """Nearest rank: the smallest value that so many percent of all are not above."""
    ordered = sorted(values)
    rank = max(1, -(-len(ordered) * percent // 100))
    return ordered[int(rank) - 1]


def machine() -> dict[str, object]:
    return {
        "cores": os.cpu_count(),
        "load_1min": round(os.getloadavg()[0], 2),
        "processor": _processor(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
    }


def progress(sentence: str) -> None:
    """For whoever waits; standard output holds figures only."""
    print(f"  {sentence}", file=sys.stderr, flush=True)


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or "unknown"
    names = [x.partition(":")[2].strip() for x in text.splitlines() if x.startswith("model name")]
    return names[0] if names else platform.machine()
