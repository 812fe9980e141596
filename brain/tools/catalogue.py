"""Every tool there is, in the order in which a model is shown them."""

from __future__ import annotations

from brain.tools.digest import summary
from brain.tools.expertise import who_knows
from brain.tools.hearing import search, seen, stats
from brain.tools.reading import read_around, recent
from brain.tools.registry import Tool
from brain.tools.swarm import agents, now, status, who_can

TOOLS: tuple[Tool, ...] = (
    search,
    summary,
    seen,
    stats,
    who_knows,
    recent,
    read_around,
    status,
    agents,
    who_can,
    now,
)
