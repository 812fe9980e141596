"""How the project stands, in words. Pure."""

from __future__ import annotations

from brain.project import NOBODY_SAID
from storage.project_log import Standing


def standing(now: Standing | None) -> str:
    """``The project is active since 2026-11-20 09:00 UTC (captain): it goes well.``"""
    if now is None:
        return NOBODY_SAID
    who = now.by.removeprefix("agent:")
    again = "" if now.at == now.since else f", last said {now.at:%Y-%m-%d %H:%M}"
    head = f"The project is {now.status} since {now.since:%Y-%m-%d %H:%M} UTC ({who}{again})"
    return f"{head}: {now.sentence}" if now.sentence else f"{head}."
