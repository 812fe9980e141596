"""What the linters do not know of: who may read the environment, what may be committed."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("bots", "brain", "market", "storage")
SOURCES = sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))


def _of_os(tree: ast.AST) -> set[str]:
    """Names of `os` that a module uses, as attributes or imported by name."""
    used: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            used |= {node.attr} if node.value.id == "os" else set()
        elif isinstance(node, ast.ImportFrom) and node.module == "os":
            used |= {alias.name for alias in node.names}
    return used


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_only_the_settings_read_the_environment(path: Path) -> None:
    used = _of_os(ast.parse(path.read_text(encoding="utf-8")))
    if path != ROOT / "bots" / "settings.py":
        assert not used & {"environ", "environb", "getenv"}


def test_every_package_is_listed_for_installation() -> None:
    listed = set(
        re.findall(r'^  "([a-z_.]+)",$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    )
    found = {
        str(path.parent.relative_to(ROOT)).replace("/", ".")
        for path in SOURCES
        if path.name == "__init__.py"
    }
    assert found <= listed


def test_no_place_of_this_machine_is_committed() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git working tree")
    pattern = r"/(home|root|Users)/[a-z]|/opt/[a-z]+[-/]|/work/"
    command = ["git", "grep", "-nIE", pattern, "--", ".", ":!tests/unit", ":!tests/integration"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    assert found == ""
