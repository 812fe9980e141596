"""Files that only their owner may read; the sandbox guild and the page are given one of JSON."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Model = TypeVar("Model", bound=BaseModel)


class ConfigError(ValueError):
    """A configuration cannot be used; the sentence says why and repeats no value of it."""


class Part(BaseModel):
    """Frozen, strict about names; an error never repeats a value, which may be a secret."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Listening(Part):
    """What every server is told; `port` 0 takes a free one."""

    port: int = Field(default=0, ge=0, le=65535)


def too_open(path: Path) -> bool:
    """Whether others than the owner may read or change this file. Raises `OSError`."""
    return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def read(path: Path, into: type[Model]) -> Model:
    """The `into` that the JSON in `path` describes; its mode must close it to others, as 0600.

    :raises ConfigError: the file cannot be read, is open to others, or is wrong
    """
    try:
        exposed = too_open(path)
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8") from None
    if exposed:
        raise ConfigError(f"{path} holds secrets and is open to others: chmod 600 it")
    try:
        return into.model_validate_json(text)
    except ValidationError as error:
        problems = (
            f"{'.'.join(map(str, p['loc'])) or 'file'}: {p['msg']}"
            for p in error.errors(include_input=False, include_url=False, include_context=False)
        )
        raise ConfigError(f"{path}: {'; '.join(problems)}") from None
