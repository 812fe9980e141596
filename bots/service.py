"""The swarm as a systemd user service, so that it survives a reboot.

The unit's keys are those of systemd.service(5) and systemd.unit(5).
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

#: with a margin over the supervisor's own patience when it stops in order
STOP_WITHIN_S = 30


class ServiceError(Exception):
    """The service cannot be installed or removed; the message says why and what to do."""


@dataclass(frozen=True)
class UserService:
    """One unit of the user's own systemd; `folder` is where such units lie."""

    name: str
    folder: Path

    @property
    def unit(self) -> str:
        return f"{self.name}.service"

    @property
    def path(self) -> Path:
        return self.folder / self.unit

    def write(self, *, python: Path, program: Path, config: Path) -> Path:
        """Write the unit file and return its path. Raises `ServiceError`."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.path.write_text(unit_text(python, program, config), encoding="utf-8")
        except OSError as error:
            raise ServiceError(f"{self.path} cannot be written: {error.strerror}") from None
        return self.path

    def enable(self) -> None:
        """Start it now and at every boot. Raises `ServiceError` where systemd does not answer."""
        self._systemctl("daemon-reload")
        self._systemctl("enable", "--now", self.unit)

    def remove(self) -> bool:
        """Stop it, forget it and delete the unit; False when there was none."""
        if not self.path.exists():
            return False
        if missing_systemd() is None:
            self._systemctl("disable", "--now", self.unit)
        try:
            self.path.unlink()
        except OSError as error:
            raise ServiceError(f"{self.path} cannot be deleted: {error.strerror}") from None
        if missing_systemd() is None:
            self._systemctl("daemon-reload")
        return True

    def _systemctl(self, *words: str) -> None:
        command = ["systemctl", "--user", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ServiceError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")


def missing_systemd() -> str | None:
    """Why this user has no systemd here, in a sentence; None when it answers."""
    if shutil.which("systemctl") is None:
        return "this machine has no systemd (no systemctl)"
    command = ["systemctl", "--user", "show", "--property=Version"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except subprocess.TimeoutExpired:
        return "systemd does not answer"
    if said.returncode:
        return f"this user's systemd does not answer ({said.stderr.strip().splitlines()[0]})"
    return None


def lingers(user: str) -> bool | None:
    """Whether the user's services run without anybody logged in; None where nobody can tell."""
    command = ["loginctl", "show-user", user, "--property=Linger", "--value"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return {"yes": True, "no": False}.get(said.stdout.strip())


def unit_text(python: Path, program: Path, config: Path) -> str:
    """The unit: pure.

    The supervisor runs in the foreground under systemd, which brings it back after a failure. A
    swarm that is killed stays killed: the latch is a file.
    """
    words = " ".join(_quoted(str(word)) for word in (python, program, "up", "--config", config))
    return f"""\
[Unit]
Description=Parley, a swarm of chat bots
Documentation=file://{_escaped(str(program.parent / "README.md"))}

[Service]
Type=exec
ExecStart={words}
WorkingDirectory={_escaped(str(config.parent))}
Restart=on-failure
RestartSec=5
KillMode=mixed
TimeoutStopSec={STOP_WITHIN_S}
UMask=0077

[Install]
WantedBy=default.target
"""


def _escaped(text: str) -> str:
    # "%" begins a specifier; see systemd.unit(5).
    return text.replace("%", "%%")


def _quoted(text: str) -> str:
    # "$" begins a variable in command lines only; see systemd.service(5).
    inner = _escaped(text).replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return f'"{inner}"'
