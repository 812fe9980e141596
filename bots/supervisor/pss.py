"""Proportional set size: what a process costs when shared pages are split among their sharers."""

from __future__ import annotations

from pathlib import Path


def pss_mb(pid: int) -> float | None:
    """PSS in MiB from Linux' smaps_rollup (proc(5)); None when the process or the file is not
    there.
    """
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return None
    line = next((x for x in text.splitlines() if x.startswith("Pss:")), None)
    return round(int(line.split()[1]) / 1024, 1) if line else None
