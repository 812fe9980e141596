"""The kinds of value that `swarm.toml` is made of."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationInfo

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
#: `all` means everybody; the others have log files and bus users of their own
_RESERVED = ("all", "supervisor", "nats", "irc", "discord", "console", "local")


def anchored(value: str, info: ValidationInfo) -> str:
    """A path as seen from the folder of `swarm.toml`, wherever the command was started."""
    folder = (info.context or {}).get("folder", Path())
    return str(folder / Path(value).expanduser())


def _secret_reference(value: str, info: ValidationInfo) -> str:
    scheme, colon, rest = value.partition(":")
    if not colon or scheme not in {"env", "file", "keyring"} or not rest:
        raise ValueError("a secret is given by reference only: env:NAME, file:PATH or keyring:NAME")
    return f"file:{anchored(rest, info)}" if scheme == "file" else value


def _agent_name(value: str) -> str:
    if not _NAME.fullmatch(value) or value.lower() in _RESERVED:
        raise ValueError(
            "a name is letters, digits and '-', begins with a letter, "
            f"and is none of {', '.join(_RESERVED)}"
        )
    return value


def _channel(value: str) -> str:
    if not value.startswith(("#", "&")) or len(value) < 2 or any(c in value for c in " ,\a"):
        raise ValueError("a channel begins with '#' and has no blanks or commas")
    return value


def _cron(value: str) -> str:
    if not value.strip():
        return ""
    if len(value.split()) != 5:
        raise ValueError("a cron line has five fields, such as '0 9 * * 1-5'")
    try:
        CronSim(value, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise ValueError(f"this is no cron line: {error}") from error
    return value


FilePath = Annotated[str, AfterValidator(anchored)]
SecretReference = Annotated[str, AfterValidator(_secret_reference)]
AgentName = Annotated[str, AfterValidator(_agent_name)]
Channel = Annotated[str, AfterValidator(_channel)]
#: five fields, UTC; empty: never
Cron = Annotated[str, AfterValidator(_cron)]


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
