"""`run.py test` hands its arguments to pytest and ends with 1 when something failed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def _test(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "run.py"), "test", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_arguments_go_to_pytest_alone() -> None:
    done = _test("-q", "-k", "own_log", "tests/unit/test_state.py")
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout.splitlines()[-1]
    assert "ruff" not in done.stdout


def test_a_failure_ends_with_1(tmp_path: Path) -> None:
    path = tmp_path / "test_no.py"
    path.write_text("def test_no():\n    assert False\n")
    done = _test("-q", "-p", "no:cacheprovider", str(path))
    assert done.returncode == 1
    assert "1 failed" in done.stdout
    assert _test("no/such/file").returncode == 1
