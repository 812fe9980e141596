"""Every tool there is, in the order in which a model is shown them."""

from __future__ import annotations

from collections.abc import Collection

from brain.tools.digest import summary
from brain.tools.expertise import who_knows
from brain.tools.fetching import fetch_attachment
from brain.tools.handing import ask_peer, cancel, delegate, report
from brain.tools.hearing import search, seen, stats
from brain.tools.knowing import publish_knowledge, search_knowledge
from brain.tools.notes import forget, recall, remember
from brain.tools.people import request_human
from brain.tools.posting import post, react
from brain.tools.project import project, set_project_status, write_down
from brain.tools.reading import read_around, read_thread, recent
from brain.tools.registry import Tool
from brain.tools.sharing import share_file
from brain.tools.subscribing import subscribe, unread, unsubscribe
from brain.tools.swarm import agents, capabilities, now, status, who_can
from brain.tools.talking import end_talk, talk_with

TOOLS: tuple[Tool, ...] = (
    search,
    summary,
    seen,
    stats,
    who_knows,
    recent,
    read_thread,
    read_around,
    fetch_attachment,
    remember,
    recall,
    forget,
    publish_knowledge,
    search_knowledge,
    subscribe,
    unsubscribe,
    unread,
    post,
    react,
    share_file,
    delegate,
    ask_peer,
    talk_with,
    end_talk,
    report,
    cancel,
    request_human,
    project,
    set_project_status,
    write_down,
    status,
    agents,
    capabilities,
    who_can,
    now,
)


def of_groups(groups: Collection[str]) -> tuple[Tool, ...]:
    """The tools of these groups (`guard_class`)."""
    return tuple(one for one in TOOLS if one.guard_class in groups)
