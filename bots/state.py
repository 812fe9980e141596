"""The state folder: which file lies where, and who may read it.

Everything a swarm keeps on this machine lies in one folder, `.parley` unless `swarm.state_folder`
says otherwise. It holds secrets, so the folder is open to its owner alone (0700), and so are the
files in it (0600).
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex as random_name
from typing import Any

from bots.settings import Settings

FOLDER_MODE = 0o700
FILE_MODE = 0o600


class StateFolder:
    """Paths inside one state folder; only `create` and `write_supervisor` touch the disk."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    @property
    def lock(self) -> Path:
        """Locked by the supervisor for as long as it lives; two never share a folder."""
        return self.path / "lock"

    @property
    def supervisor(self) -> Path:
        """How to reach the running supervisor; see `write_supervisor`."""
        return self.path / "supervisor.json"

    @property
    def latch(self) -> Path:
        """The kill latch; `storage.latch` reads and writes it."""
        return self.path / "latch.json"

    @property
    def database(self) -> Path:
        """The SQLite file that serves when no `database_url` is configured."""
        return self.path / "parley.sqlite"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def secrets(self) -> Path:
        """Keys that the swarm made for itself."""
        return self.path / "secrets"

    @property
    def hook_token(self) -> Path:
        """Bearer token of scripts, unless `hooks.token` names another; see `bots.hooks.token`."""
        return self.secrets / "hook-token"

    @property
    def nats(self) -> Path:
        """Configuration and JetStream store of the embedded NATS server."""
        return self.path / "nats"

    def log_of(self, process: str) -> Path:
        """Log file of an agent, or of ``supervisor``."""
        return self.logs / f"{process}.log"

    def journal_of(self, agent: str) -> Path:
        """Lines that this agent's socket has read and the store does not have yet."""
        return self.path / "journal" / f"{agent}.jsonl"

    def identifies_of(self, agent: str) -> Path:
        """How often this agent's bot has identified itself lately: Discord allows 1,000 a day."""
        return self.path / "discord" / f"{agent}.json"

    def last_irc_port(self) -> int:
        """Where the embedded IRC server listened last, 0 when that is not known."""
        try:
            return int((self.path / "irc-port").read_text(encoding="ascii"))
        except (OSError, ValueError):
            return 0

    def remember_irc_port(self, port: int) -> None:
        write_private(self.path / "irc-port", str(port))

    def create(self) -> None:
        """Make the folder and its sub-folders, each 0700; one that exists is closed to others.

        Raises `OSError` when the place cannot be written to.
        """
        for folder in (
            self.path,
            self.logs,
            self.secrets,
            self.nats,
            self.path / "journal",
            self.path / "discord",
        ):
            folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            # mkdir obeys the umask and leaves an existing folder as it is.
            folder.chmod(FOLDER_MODE)

    def identity(self) -> str:
        """A name that only this folder has, the same whichever supervisor holds it.

        Whoever has the lock may go on with what this folder's last supervisor had leased.
        """
        path = self.path / "identity"
        try:
            known = path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            known = ""
        if not known:
            known = random_name(6)
            write_private(path, known)
        return known

    def write_supervisor(self, facts: Mapping[str, Any]) -> None:
        """Write how to reach this supervisor, in one step, readable by its owner alone.

        `facts` is ``{"pid", "control_url", "token",
        "agent_tokens", "irc": {"host", "port"}, "nats", "database"}``.
        """
        write_private(self.supervisor, json.dumps(facts, indent=1))

    def read_supervisor(self) -> dict[str, Any] | None:
        """What `write_supervisor` wrote, or None when there is no (whole) such file.

        The file outlives a supervisor that was ended by SIGKILL: try the lock or the URL before
        believing it.
        """
        try:
            facts = json.loads(self.supervisor.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        return facts if isinstance(facts, dict) else None

    def forget_supervisor(self) -> None:
        """Remove what `write_supervisor` wrote; a supervisor calls it when it stops in order."""
        self.supervisor.unlink(missing_ok=True)


def state_of(config: Path, settings: Settings) -> StateFolder:
    """The state folder of the swarm that `config` describes; a relative one lies beside it."""
    return StateFolder(config.absolute().parent / settings.swarm.state_folder)


def database_url(settings: Settings, state: StateFolder) -> str:
    """The configured database, or the SQLite file of the state folder."""
    return settings.swarm.database_url or f"sqlite:///{state.database}"


def write_private(path: Path, content: str) -> None:
    """Replace `path` by `content` (mode 0600); a reader sees the old or the new, never a half."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), FILE_MODE)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
