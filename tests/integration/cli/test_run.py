"""run.py sets itself up once, repairs what was interrupted, and says what is wrong."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]


def test_sets_up_once_through_a_link_and_repairs_an_interrupted_installation(
    project: Any, tmp_path: Path
) -> None:
    link = tmp_path / "parley"
    link.symlink_to(project.folder / "run.py")
    code, out, err = project.run("up", "--x", program=link)
    assert (code, out.splitlines()) == (
        7,
        ["ran parley_probe up --x", str(project.folder / ".venv")],
    )
    assert "Installing 1 package from requirements.txt into .venv" in err
    assert "[1/1] parley_probe-1.2.3" in err
    assert "Installed in" in err

    assert project.run("status") == (7, f"ran parley_probe status\n{project.folder}/.venv\n", "")

    # As a start leaves it that was ended in the middle: half a package that pip takes for whole.
    stamp = project.folder / ".venv" / "parley-installed"
    stamp.write_text("unfinished")
    next((project.folder / ".venv").rglob("parley_probe.py")).unlink()
    code, out, err = project.run("status")
    assert (code, out.splitlines()[0]) == (7, "ran parley_probe status")
    assert "Making a virtual environment" in err
    assert stamp.read_text().startswith("requirements.txt ")


def test_what_a_command_wants_besides_is_counted_without_what_is_there(project: Any) -> None:
    project.run("up")
    code, _, err = project.run("bench")
    assert code == 7
    assert "Installing 1 package from requirements.txt and requirements-dev.txt" in err
    assert "[1/1] parley_more-1.2.3" in err


def test_two_at_once_make_one_environment(project: Any) -> None:
    pair = [project.start(word) for word in ("one", "two")]
    results = [(p.communicate(timeout=100), p.returncode) for p in pair]
    assert [code for _, code in results] == [7, 7]
    said = "".join(err for (_, err), _ in results)
    assert said.count("Making a virtual environment") == 1
    assert said.count("waiting for it") == 1


def test_a_file_with_another_hash_is_refused_and_not_run(project: Any) -> None:
    project.pin("0" * 64)
    code, out, err = project.run("up")
    assert (code, out) == (1, "")
    assert "The registry gave other files than Parley was tested with" in err
    assert "Traceback" not in err


def test_a_registry_that_cannot_be_reached(project: Any, unused_tcp_port: int) -> None:
    project.environment = {
        "PIP_INDEX_URL": f"http://127.0.0.1:{unused_tcp_port}/simple",
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_FIND_LINKS": "",
        "PIP_RETRIES": "1",
    }
    code, _, err = project.run("up")
    assert code == 1
    assert "The package registry cannot be reached" in err
    assert "Traceback" not in err


def test_where_the_packages_are_present_nothing_is_created(project: Any) -> None:
    (project.folder / "requirements.txt").write_text(
        f"pytest=={pytest.__version__} \\\n    --hash=x\n"
    )
    (project.folder / "bots" / "cli" / "app.py").write_text("def main(argv): return len(argv)\n")
    before = sorted(project.folder.iterdir())
    command = [sys.executable, "-B", str(project.folder / "run.py"), "a", "b"]
    done = subprocess.run(command, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (2, b"", b"")
    assert sorted(project.folder.iterdir()) == before


def test_an_old_python_is_told_so(project: Any) -> None:
    old = shutil.which("python3.10")
    if old is None or subprocess.run([old, "-V"], check=False, capture_output=True).returncode:
        pytest.skip("no Python older than 3.11 on this machine")
    command = [old, str(project.folder / "run.py"), "up"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Parley needs Python 3.11 or newer; this is Python 3.10")


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv[1:] = ['--help']\n"
        "from bots.cli.app import main\n"
        "assert main(['--help']) == 0\n"
        "heavy = {'sqlalchemy', 'sqlmodel', 'irc', 'nats', 'aiohttp', 'alembic', 'cryptography'}\n"
        "assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for name in ("up", "down", "kill", "resume", "replay", "doctor", "service", "tour"):
        assert name in done.stdout
    assert "Exit codes" in done.stdout


@pytest.mark.parametrize("command", ["down", "status", "restart", "up"])
def test_who_asks_a_running_swarm_loads_nothing_that_runs_one(command: str) -> None:
    code = (
        "import sys\n"
        "from bots.cli.app import build\n"
        f"build([{command!r}])\n"
        "heavy = {'sqlalchemy', 'irc', 'nats', 'aiohttp', 'alembic', 'cryptography', 'discord'}\n"
        "assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_pinned_requirements_name_no_place() -> None:
    for name in ("requirements.txt", "requirements-dev.txt", "requirements-local.txt"):
        text = (ROOT / name).read_text()
        assert "://" not in text
        assert "--index" not in text
        assert "--find-links" not in text
        assert all(
            line.startswith(("#", "    --hash=sha256:")) or "==" in line
            for line in text.splitlines()
        )
