"""`run.py lock`: each requirements*.in to its .txt, every release pinned with all its hashes."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from bots.cli.exits import CommandError
from bots.cli.project import ROOT

#: the resolver; it reads neither pip's settings nor this environment, so neither can leak in
RESOLVER = "uv==0.13.8"
OLDEST_PYTHON = "3.11"
HEADER = "# Made by `python3 run.py lock` from {}; change that file instead.\n"
#: an address, a path, or an option that names one, has no place in a file that is shared
FOREIGN = re.compile(r"://|^\s*-|^\s*/| @ |file:", re.MULTILINE)
#: requirements file, and what its resolution needs besides
FILES: dict[str, tuple[str, ...]] = {
    "requirements": (),
    "requirements-dev": (),
    # In one environment with the rest. (A line `-c` in the file itself is nothing for setuptools.)
    "requirements-vault": ("--constraint", "requirements.txt"),
    "requirements-aws": ("--constraint", "requirements.txt"),
    # The package of the weights asks for one that has to be compiled and is not needed.
    "requirements-local": ("--no-deps",),
}


def lock(
    *,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Take the newest releases; else keep what fits.")
    ] = False,
) -> None:
    """Pin every requirements*.in for Python 3.11 to 3.13, Linux and macOS.

    The hashes of all files of a release go in, so one file serves every machine. No index address
    and no path is written.
    """
    with tempfile.TemporaryDirectory(prefix="parley-lock-") as folder:
        resolver = _install_resolver(Path(folder))
        for name, more in FILES.items():
            typer.echo(f"resolving {name}.in ...")
            _compile(resolver, name, Path(folder), [*more, *(["--upgrade"] if upgrade else [])])


def _install_resolver(folder: Path) -> Path:
    typer.echo(f"installing {RESOLVER} into a temporary environment ...")
    python = folder / "venv" / "bin" / "python"
    _run([sys.executable, "-m", "venv", str(folder / "venv")])
    _run([str(python), "-m", "pip", "install", "--quiet", RESOLVER])
    return python.with_name("uv")


def _compile(resolver: Path, name: str, folder: Path, more: list[str]) -> None:
    pinned = ROOT / f"{name}.txt"
    draft = folder / pinned.name
    if pinned.exists():
        # The resolver prefers what its output file pins already.
        draft.write_bytes(pinned.read_bytes())
    command = [str(resolver), "pip", "compile", "--no-config", "--universal", "--quiet"]
    command += ["--python-version", OLDEST_PYTHON, "--generate-hashes", "--no-header"]
    command += ["--no-annotate", "--no-emit-index-url", "--no-emit-find-links"]
    _run([*command, *more, "--output-file", str(draft), f"{name}.in"])
    text = draft.read_text(encoding="utf-8")
    check_clean(text)
    pinned.write_text(HEADER.format(f"{name}.in") + text, encoding="utf-8")
    typer.echo(f"{pinned.name}: {len(re.findall('==', text))} pins, {text.count('sha256:')} hashes")


def check_clean(text: str) -> None:
    """Raise `CommandError` when pinned requirements name an index, an address or a path."""
    for line in text.splitlines():
        if FOREIGN.search(line) and not re.match(r"    --hash=sha256:[0-9a-f]{64}( \\)?$", line):
            raise CommandError(f"the resolver wrote a line that must not be shared: {line.strip()}")


def _run(command: list[str]) -> None:
    done = subprocess.run(command, cwd=ROOT, check=False)
    if done.returncode:
        raise CommandError(f"{Path(command[0]).name} ended with {done.returncode}; see above")
