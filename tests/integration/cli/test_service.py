"""The systemd unit is written where systemd looks, starts this very project, and goes again."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from bots.cli.app import main
from bots.service import unit_text

SWARM = '[swarm]\nname = "lab"\n[[agents]]\nname = "captain"\nrole = "captain"\n'


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    # No bus: the systemd of the person who runs the tests is not touched.
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "nowhere"))
    path = tmp_path / "swarm.toml"
    path.write_text(SWARM)
    return path


def test_writes_the_unit_and_removes_it(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unit = tmp_path / "xdg" / "systemd" / "user" / "lab.service"
    assert main(["service", "install", "--no-start", "--config", str(config)]) == 0
    text = unit.read_text()
    assert f'"up" "--config" "{config}"' in text
    assert 'run.py"' in text
    assert "WantedBy=default.target" in text
    assert "systemctl --user enable --now lab.service" in capsys.readouterr().out
    assert main(["service", "remove", "--config", str(config)]) == 0
    assert not unit.exists()
    assert main(["service", "remove", "--config", str(config)]) == 0
    assert "there was no" in capsys.readouterr().out


def test_without_systemd_the_unit_stays_and_a_sentence_says_why(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["service", "install", "--config", str(config)]) == 1
    assert (tmp_path / "xdg" / "systemd" / "user" / "lab.service").exists()
    assert "nothing was started" in capsys.readouterr().err


def test_odd_paths_are_quoted_for_systemd() -> None:
    text = unit_text(Path("/a b/py"), Path('/50%/"x"$/run.py'), Path("/c/swarm.toml"))
    assert 'ExecStart="/a b/py" "/50%%/\\"x\\"$$/run.py" "up"' in text


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_systemd_itself_finds_no_fault(tmp_path: Path) -> None:
    program = tmp_path / "run.py"
    program.touch()
    python = Path(shutil.which("env") or "/usr/bin/env")
    unit = tmp_path / "parley-probe.service"
    unit.write_text(unit_text(python, program, tmp_path / "swarm.toml"))
    command = ["systemd-analyze", "--user", "verify", "--man=no", str(unit)]
    tmp_path.chmod(0o700)
    environment = os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if "Failed to" in done.stderr and unit.name not in done.stderr:
        pytest.skip(f"systemd-analyze does not work here: {done.stderr.strip()}")
    assert unit.name not in done.stderr
