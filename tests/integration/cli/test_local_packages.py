"""A swarm with a local model: who installs its packages, and what is said without them."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import run
from bots.local_model import packages

ROOT = Path(__file__).parents[3]
LOCAL = (
    '[models.small]\nprovider = "local"\n[[agents]]\nname = "captain"\nrole = "captain"\n'
    'brain = "small"\n'
)
#: as on a machine where nobody installed it
_WITHOUT = "import sys; sys.modules['xllamacpp'] = None; from bots.cli.app import main; "


def test_up_without_the_packages_says_which_command_installs_them(tmp_path: Path) -> None:
    config = tmp_path / "swarm.toml"
    config.write_text(f"[console]\nenabled = false\n{LOCAL}")
    done = subprocess.run(
        [sys.executable, "-c", f"{_WITHOUT}sys.exit(main(['up', '--config', '{config}']))"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "an agent thinks with the local model, but xllamacpp" in done.stderr
    assert packages.INSTALL in done.stderr
    assert "Traceback" not in done.stderr
    assert (ROOT / packages.INSTALL.rpartition(" ")[2]).is_file()


def test_run_py_installs_them_for_up_when_the_file_names_the_local_model(project: Any) -> None:
    wheel = next((project.folder.parent / "registry").iterdir())
    pin = f"parley-probe==1.2.3 \\\n    --hash=sha256:{_digest(wheel)}\n"
    (project.folder / "requirements-local.txt").write_text(pin)
    (project.folder / "swarm.toml").write_text(LOCAL)
    code, _, err = project.run("status")
    assert (code, "requirements-local.txt" in err) == (7, False), "a kill must not wait for it"
    code, _, err = project.run("up")
    assert code == 7
    assert "from requirements.txt and requirements-local.txt" in err
    code, _, err = project.run("up", "--detach")
    assert (code, err) == (7, "")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_which_command_wants_which_packages(tmp_path: Path) -> None:
    config = tmp_path / "other.toml"
    config.write_text(LOCAL)
    wanted = ["requirements-local.txt"]
    assert run.extra(["up", "--detach", "--config", str(config)]) == wanted
    assert run.extra(["up", f"--config={config}"]) == wanted
    assert run.extra(["up", "--config"]) == []
    assert run.extra(["status", "--config", str(config)]) == []
    assert run.extra([]) == []
    assert run.extra(["test", "-k", "x"]) == ["requirements-dev.txt", "requirements-local.txt"]
    for text in ("[models.x]\nprovider = 'openai'\n", "models = 3\n", "[[[", "models.x = 1\n"):
        config.write_text(text)
        assert run.extra(["up", "--config", str(config)]) == []
    assert run.extra(["up", "--config", str(tmp_path / "nowhere")]) == []
