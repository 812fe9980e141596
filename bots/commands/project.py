"""The command that says how the project stands."""

from __future__ import annotations

from typing import Any, Final

from bots.commands.asked import Asked
from bots.commands.registry import Arguments, Command, Desk, Kind, Option, Unclear
from bots.control.operators import NotAnOperator
from bots.project.desk import Origin
from bots.project.telling import standing
from storage import project_log
from storage.project_tables import ProjectStatus

_STATUSES: Final = ", ".join(ProjectStatus)
_WORD: Final = "status"


async def _project(desk: Desk, asked: Asked, arguments: Arguments) -> str:
    try:
        by = desk.operators.vouch(asked.evidence)
    except NotAnOperator as error:
        return f"No: {error}."
    wanted = arguments["status"].strip().lower()
    if wanted not in set(ProjectStatus):
        raise Unclear(f"No: {wanted!r} is none of {_STATUSES}.")
    origin = Origin(
        by=by, network=asked.network, channel=asked.channel, trace_id=asked.trace_id, operator=by
    )
    await desk.project.set_status(
        ProjectStatus(wanted), " ".join(arguments.get("sentence", "").split()), origin
    )
    return standing(await desk.store.read(project_log.standing))


def _status_and_sentence(words: str) -> dict[str, Any] | None:
    """``status active it goes well``: how it stands, and why; the first word may be missing."""
    first, _, rest = words.strip().partition(" ")
    if first.lower() == _WORD:
        first, _, rest = rest.strip().partition(" ")
    given = {"status": first, "sentence": rest.strip()}
    return {key: value for key, value in given.items() if value} if first else None


PROJECT = (
    Command(
        name="project",
        usage="status STATUS [SENTENCE]",
        summary="say how the project stands; an operator's (status project shows it)",
        options=(
            Option(_WORD, f"One of {_STATUSES}", Kind.CODE, required=True),
            Option("sentence", "Why, in a sentence"),
        ),
        read=_status_and_sentence,
        run=_project,
    ),
)
