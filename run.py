#!/usr/bin/env python3
"""Parley's front door: `python3 run.py up`, `python3 run.py test`, `python3 run.py --help`.

Needs Python 3.11 and nothing else. Where the pinned packages of requirements.txt are missing it
makes `.venv` beside this file, installs them there and starts itself again inside; where they are
present it creates nothing. `up` also gets what a swarm.toml with a local model needs. It decides
nothing more: the commands live in `bots/cli`.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import itertools
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
#: says which requirements were installed whole, or `UNFINISHED` while that is under way
STAMP = VENV / "parley-installed"
UNFINISHED = "unfinished"
#: what a command wants besides requirements.txt
EXTRA = {
    "test": ["requirements-dev.txt", "requirements-local.txt"],
    "bench": ["requirements-dev.txt"],
}
#: what a swarm.toml wants whose master key is kept there (docs/KEYS.md)
KEEPERS = {"vault": ["requirements-vault.txt"], "aws": ["requirements-aws.txt"]}
OLD_PYTHON = "Parley needs Python 3.11 or newer; this is Python {}.{} ({}). Try python3.11 run.py."
NO_VENV = """This Python cannot make virtual environments (venv or ensurepip is missing).
On Debian and Ubuntu: apt-get install python3-venv. Then start again."""
#: pip's line for a package from a registry, or from a folder
TAKEN = re.compile(r"Collecting (\S+)|Processing (?:\S*/)?(\S+?-\d[^-\s]*)-\S+\.whl")
#: pip's own words, and what a person can do about them
CURES = {
    "No space left": "The disk is full: free about 400 MB here and in TMPDIR.",
    "DO NOT MATCH THE HASHES": "The registry gave other files than Parley was tested with; nothing"
    " was installed. Check which registry pip uses (pip config list).",
    "Retrying|Max retries|ConnectionError|NameResolution": "The package registry cannot be reached."
    " Check the network, or the proxy and registry of pip (pip config list), and start again.",
    "No matching dist|Could not find a version": "pip's registry lacks a package; see above.",
}


class SetupError(Exception):
    """The environment could not be made; the message is for the person who started us."""


def main(argv: list[str]) -> int:
    """Make sure that the packages are there, then run the command; returns its exit code."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this is where an older one is turned away
        return _fail(OLD_PYTHON.format(*sys.version_info[:2], sys.executable))
    wanted = ["requirements.txt", *extra(argv)]
    try:
        if not is_ready(wanted):
            if not is_prepared(wanted):
                with _alone():
                    prepare(wanted)
            os.execv(PYTHON, [str(PYTHON), str(ROOT / "run.py"), *argv])  # noqa: S606 - no shell
    except (SetupError, OSError) as error:
        return _fail(f"{error}\n{explain(str(error))}".strip())
    except KeyboardInterrupt:
        return _fail("Stopped. The next start takes it up again.", 130)
    from bots.cli.app import main as command_line

    return command_line(argv)


def extra(argv: list[str]) -> list[str]:
    """Requirements of this command beside the ordinary ones."""
    wanted = list(EXTRA.get(argv[0], [])) if argv else []
    if argv[:1] == ["up"] and names_local_model(config_of(argv)):
        wanted.append("requirements-local.txt")
    # Not for `keys revoke` and `keys list`: they need no master key, and may not wait for anything.
    if argv[:1] == ["up"] or argv[:2] in (
        ["keys", verb] for verb in ("create", "rotate", "reseal")
    ):
        wanted += KEEPERS.get(keeper_of_the_master_key(config_of(argv)), [])
    return wanted


def config_of(argv: list[str]) -> Path:
    """The swarm.toml that this command line means."""
    after = [value for word, value in itertools.pairwise(argv) if word == "--config"]
    joined = [word.partition("=")[2] for word in argv if word.startswith("--config=")]
    return Path([str(ROOT / "swarm.toml"), *joined, *after][-1])


def names_local_model(config: Path) -> bool:
    """Whether a model of `config` runs in a child of ours; what is wrong with it is said later."""
    models = _table(config, "models").values()
    return any(isinstance(model, dict) and model.get("provider") == "local" for model in models)


def keeper_of_the_master_key(config: Path) -> str:
    """``vault`` in ``[keys] master = "vault:…"``; empty where none is named."""
    return str(_table(config, "keys").get("master", "")).partition(":")[0]


def _table(config: Path, name: str) -> dict[str, object]:
    """One table of a file; none of a file with a mistake."""
    import tomllib  # younger than the Pythons that are turned away above

    try:
        found = tomllib.loads(config.read_text(encoding="utf-8")).get(name)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def is_ready(wanted: list[str]) -> bool:
    """Whether the interpreter that runs us has every package at its pinned version."""
    if Path(sys.prefix).resolve() == VENV.resolve() and STAMP.exists():
        return is_prepared(wanted)
    return all(_has(name, version) for name, version in pins(wanted))


def is_prepared(wanted: list[str]) -> bool:
    """Whether `.venv` was brought to what `wanted` pins, to the end."""
    return PYTHON.exists() and _stamps(wanted) <= _installed()


def pins(wanted: list[str]) -> list[tuple[str, str]]:
    """(name, version) of each pin that holds on every platform.

    Pins with a marker follow from the others, so they are left out rather than evaluated here.
    """
    text = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in wanted)
    return re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+) *\\?$", text, re.MULTILINE)


def prepare(wanted: list[str]) -> None:
    """Bring `.venv` to what `wanted` pins; `SetupError` says why that failed and what to do."""
    if is_prepared(wanted):
        return  # somebody else did it while we waited for the lock
    before = _installed()
    if not PYTHON.exists() or UNFINISHED in before:
        # A package that was interrupted half way looks whole to pip, so begin afresh.
        before = set()
        _make_venv()
    STAMP.write_text(UNFINISHED, encoding="utf-8")
    _install(wanted)
    kept = {line for line in before if line.split()[0] not in wanted}
    STAMP.write_text("\n".join(sorted(kept | _stamps(wanted))), encoding="utf-8")


def _make_venv() -> None:
    # Not sys.executable: that may be the very environment that is to be replaced.
    base = Path(sys.base_prefix, "bin", "python{}.{}".format(*sys.version_info[:2]))
    python = str(base if base.exists() else sys.executable)
    if subprocess.call([python, "-c", "import venv, ensurepip"], stderr=DEVNULL):
        raise SetupError(NO_VENV)
    say("Making a virtual environment in .venv ...")
    shutil.rmtree(VENV, ignore_errors=True)
    VENV.mkdir()
    STAMP.write_text(UNFINISHED, encoding="utf-8")
    command = [python, "-m", "venv", str(VENV)]
    made = subprocess.run(command, check=False, stdout=PIPE, stderr=STDOUT, text=True)
    if made.returncode:
        raise SetupError(made.stdout)


def _install(wanted: list[str]) -> None:
    """Install the pins by hash, one line a package; pip's own settings are left alone.

    Nothing that is not pinned comes along: the files are whole, and one leaves out on purpose what
    its packages ask for.
    """
    total = len(_lacking(wanted))
    # Pins with a marker are not counted, so there may be a few more.
    packages = "1 package" if total == 1 else f"about {total} packages"
    say(f"Installing {packages} from {' and '.join(wanted)} into .venv; once only.")
    started_s = time.monotonic()
    command = [str(PYTHON), "-m", "pip", "install", "--require-hashes", "--no-deps"]
    command += ["--progress-bar=off"]
    command += [f"-r{ROOT / name}" for name in wanted]
    pip = subprocess.Popen(command, stdout=PIPE, stderr=STDOUT, text=True)
    said: list[str] = []
    found = 0
    with pip:
        for line in pip.stdout or ():
            said.append(line)
            if taken := TAKEN.match(line):
                found += 1
                say(f"  [{found}/{max(total, found)}] {taken[1] or taken[2]}")
            elif line.startswith(("Installing collected", "WARNING: Retrying")):
                say("  " + line.strip()[:76])
    if pip.returncode:
        raise SetupError("".join(said[-15:]))
    say(f"Installed in {time.monotonic() - started_s:.0f} s.")


def explain(text: str) -> str:
    """What to do about pip's last words, or an empty string when nobody knows."""
    if shutil.disk_usage(ROOT).free < 20_000_000:
        text = "No space left"  # whatever failed, and not every program says why
    return next((cure for sign, cure in CURES.items() if re.search(sign, text)), "")


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Hold the folder itself as the lock; a second `run.py` waits for the first."""
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another run.py is installing; waiting for it ...")
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _has(name: str, version: str) -> bool:
    try:
        return metadata.version(name) == version
    except metadata.PackageNotFoundError:
        return False


def _lacking(wanted: list[str]) -> set[tuple[str, str]]:
    """The pins, by plain name and version, that `.venv` has not got yet."""
    folders = [str(folder) for folder in VENV.glob("lib/python*/site-packages")]
    present = {(_plain(d.name), d.version) for d in metadata.distributions(path=folders)}
    return {(_plain(name), version) for name, version in pins(wanted)} - present


def _plain(name: str) -> str:
    """A package's name as all its spellings have it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _stamps(wanted: list[str]) -> set[str]:
    return {f"{n} {hashlib.sha256((ROOT / n).read_bytes()).hexdigest()}" for n in wanted}


def _installed() -> set[str]:
    try:
        return set(STAMP.read_text(encoding="utf-8").splitlines()) or {UNFINISHED}
    except FileNotFoundError:
        return set()


def say(line: str) -> None:
    # Standard error, so that `run.py status --json | jq` works on the first start too.
    print(line, file=sys.stderr, flush=True)


def _fail(sentence: str, code: int = 1) -> int:
    say(sentence)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
