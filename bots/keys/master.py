"""Where the master key comes from: a file, the environment, a key ring, Vault or AWS."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from bots.keys import aws, vault
from bots.keys.sealing import Master
from bots.secrets import SecretError, resolve
from bots.settings import Settings
from bots.state import StateFolder, write_private


class MasterUnavailable(Exception):
    """The master key cannot be had now; the message names where it should be, and the cure."""


class Source(Protocol):
    """Blocks; raises `MasterUnavailable`."""

    def __call__(self) -> Master: ...


def source_of(settings: Settings, state: StateFolder, reference: str = "") -> Source:
    """Where this swarm's master key is: what ``[keys] master`` names, or `reference` instead.

    Nothing is asked before it is called.
    """
    named = reference or settings.keys.master

    def read() -> Master:
        try:
            if not named:
                return _own(default_file(state))
            return Master.of(_text(named, settings))
        except SecretError as error:
            raise MasterUnavailable(f"the master key: {error}") from None
        except ValueError as error:
            raise MasterUnavailable(f"what is at {named} is no master key: {error}") from None

    return read


def default_file(state: StateFolder) -> Path:
    """The master key of a swarm whose settings name none."""
    return state.secrets / "master.key"


def _own(path: Path) -> Master:
    """The key in our own file, made (0600) when there is none."""
    if not path.exists():
        made = Master.new()
        try:
            write_private(path, made.text)
            _fsync(path.parent)
        except OSError as error:
            raise SecretError(f"file:{path}: cannot be written: {error.strerror}") from None
        return made
    return Master.of(resolve(f"file:{path}"))


def _fsync(folder: Path) -> None:
    """What is sealed from now on must not outlive the key that opens it."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _text(reference: str, settings: Settings) -> str:
    scheme, _, rest = reference.partition(":")
    if scheme == "vault":
        if settings.keys.vault is None:
            raise SecretError(f"{reference}: needs the table [keys.vault] with url and token")
        return vault.read(rest, settings.keys.vault)
    if scheme == "aws":
        return aws.read(rest, settings.keys.aws)
    return resolve(reference)
