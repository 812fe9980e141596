"""A small project of its own with a small registry in a folder, so that run.py sets up for real."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGE, VERSION = "parley_probe", "1.2.3"
#: what only `run.py bench` wants besides
MORE = "parley_more"

WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
APP = f"""
import {PACKAGE}
import sys

def main(argv):
    print("ran", {PACKAGE}.__name__, *argv)
    print(sys.prefix)
    return 7
"""


def _wheel(folder: Path, package: str) -> str:
    """A pure wheel (PEP 427) with one empty module; its SHA-256."""
    info = f"{package}-{VERSION}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {package}\nVersion: {VERSION}\n"
    files = {
        f"{package}.py": b"",
        f"{info}/METADATA": metadata.encode(),
        f"{info}/WHEEL": WHEEL.encode(),
    }
    record = "".join(f"{name},sha256={_digest(data)},{len(data)}\n" for name, data in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    path = folder / f"{package}-{VERSION}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


@dataclass
class Project:
    """A folder with run.py, one pinned package and a command line that needs it."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def python(self) -> str:
        # One without the pinned package, and not in our own virtual environment.
        return str(Path(sys.base_prefix, "bin", f"python3.{sys.version_info.minor}"))

    def start(self, *words: str, program: Path | None = None) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.python, str(program or self.folder / "run.py"), *words],
            cwd=self.folder.parent,
            env=os.environ | self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, program: Path | None = None) -> tuple[int, str, str]:
        """Exit code, standard output, standard error."""
        process = self.start(*words, program=program)
        out, err = process.communicate(timeout=100)
        return process.returncode, out, err

    def pin(
        self, digest: str, package: str = PACKAGE, requirements: str = "requirements.txt"
    ) -> None:
        (self.folder / requirements).write_text(
            f"{package.replace('_', '-')}=={VERSION} \\\n    --hash=sha256:{digest}\n"
        )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    folder, registry = tmp_path / "project", tmp_path / "registry"
    (folder / "bots" / "cli").mkdir(parents=True)
    registry.mkdir()
    shutil.copy(ROOT / "run.py", folder)
    for package in (folder / "bots", folder / "bots" / "cli"):
        (package / "__init__.py").touch()
    (folder / "bots" / "cli" / "app.py").write_text(APP)
    made = Project(folder, {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(registry)})
    made.pin(_wheel(registry, PACKAGE))
    made.pin(_wheel(registry, MORE), MORE, "requirements-dev.txt")
    return made
