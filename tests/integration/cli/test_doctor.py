"""The doctor finds what is wrong, says how to mend it, and never shows a secret."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bots.cli.app import main
from bots.doctor.finding import Finding, Level
from bots.doctor.machine import clock, packages
from bots.doctor.missing import how_to_give
from bots.doctor.round import examine
from bots.state import StateFolder
from storage.migrate import upgrade
from storage.store import Store

ROOT = Path(__file__).parents[3]
NOW = datetime.now(UTC)


def _swarm(folder: Path, *more: str) -> Path:
    path = folder / "swarm.toml"
    agent = '[[agents]]\nname = "captain"\nrole = "captain"\n'
    path.write_text("\n".join(more) + f"\n{agent}")
    return path


async def _found(config: Path) -> dict[str, Finding]:
    """The worst finding of each kind."""
    order = list(Level)
    worst: dict[str, Finding] = {}
    async for finding in examine(config, ROOT, NOW):
        known = worst.get(finding.about)
        if known is None or order.index(finding.level) > order.index(known.level):
            worst[finding.about] = finding
    return worst


async def test_a_fresh_folder_has_nothing_to_mend(tmp_path: Path) -> None:
    found = await _found(_swarm(tmp_path))
    assert {f.about: f.says for f in found.values() if f.level is Level.FAIL} == {}
    assert "first start" in found["database"].says
    assert found["swarm"].says == "down"
    assert [p.name for p in tmp_path.iterdir()] == ["swarm.toml"]


async def test_every_line_of_a_bad_file_is_a_finding(tmp_path: Path) -> None:
    found = await _found(_swarm(tmp_path, "[swarm]", 'nmae = "x"'))
    assert "nearest valid key is 'name'" in found["settings"].says


async def test_open_and_shared_and_missing_secrets(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    secret.chmod(0o644)
    path = tmp_path / "swarm.toml"
    path.write_text(
        "".join(
            f'[[agents]]\nname = "{name}"\nrole = "r"\nsoul = "captain"\n'
            f'irc.password = "file:{secret}"\n'
            for name in ("a", "b")
        )
    )
    found = await _found(path)
    assert f"chmod 600 {secret}" in found["tokens"].says
    secret.chmod(0o600)
    found = await _found(path)
    assert found["tokens"].says.startswith(
        "agents.a.irc.password and agents.b.irc.password have the same value"
    )
    assert "hunter2" not in str(found)
    secret.unlink()
    gone = (await _found(path))["tokens"]
    assert "no such file" in gone.says
    assert gone.mend.endswith(f"then: chmod 600 {secret}")


@pytest.mark.parametrize(
    ("reference", "mend"),
    [
        ("env:MY_KEY", "in the shell that starts the swarm: export MY_KEY=…"),
        ("keyring:my key", "keyring set parley 'my key' (asks for it)"),
        ("hunter2", "name it: env:NAME, file:PATH or keyring:NAME"),
    ],
)
def test_how_a_secret_is_given(reference: str, mend: str) -> None:
    assert how_to_give(reference).startswith(mend)


async def test_a_used_port(tmp_path: Path) -> None:
    server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        found = await _found(_swarm(tmp_path, "[sandbox]", f"irc_port = {port}"))
    assert found["ports"].level is Level.FAIL
    assert f"{port} (sandbox.irc_port) is in use" in found["ports"].says


async def test_ports_given_twice(tmp_path: Path, unused_tcp_port: int) -> None:
    port = unused_tcp_port
    swarm = ["[swarm]", f"control_port = {port}", f"nats_port = {port}"]
    found = await _found(_swarm(tmp_path, *swarm))
    assert f"swarm.control_port and swarm.nats_port are both {port}" in found["ports"].says


async def test_databases(tmp_path: Path) -> None:
    config = _swarm(tmp_path)
    state = StateFolder(tmp_path / ".parley")
    state.create()
    store = await Store.open(f"sqlite:///{state.database}")
    await upgrade(store, tmp_path / "lock")
    await store.close()
    found = await _found(config)
    assert (found["database"].level, "schema" in found["database"].says) == (Level.OK, True)

    with sqlite3.connect(state.database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    found = await _found(config)
    assert "schema 9999 was made by a newer Parley" in found["database"].says

    for part in state.path.glob("parley.sqlite*"):
        part.unlink()
    state.database.write_text("no database at all, but long enough to look like one" * 50)
    found = await _found(config)
    assert found["database"].level is Level.FAIL


async def test_servers_that_do_not_answer(tmp_path: Path, unused_tcp_port: int) -> None:
    more = ["[swarm]", f'nats_url = "nats://127.0.0.1:{unused_tcp_port}"']
    more += ["[irc]", 'host = "127.0.0.1"', f"port = {unused_tcp_port}"]
    found = await _found(_swarm(tmp_path, *more))
    assert f"nobody answers at 127.0.0.1:{unused_tcp_port}" in found["bus"].says
    assert f"nobody answers at 127.0.0.1:{unused_tcp_port}" in found["irc"].says
    assert found["operators"].level is Level.WARN


async def test_a_state_folder_that_others_may_read(tmp_path: Path) -> None:
    config = _swarm(tmp_path)
    state = StateFolder(tmp_path / ".parley")
    state.create()
    assert (await _found(config))["permissions"].level is Level.OK
    state.path.chmod(0o755)
    found = await _found(config)
    assert found["permissions"].mend == f"chmod -R go-rwx {state.path}"


async def test_a_broken_latch(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / ".parley")
    state.create()
    state.latch.write_text("{")
    found = await _found(_swarm(tmp_path))
    assert (found["latch"].level, found["latch"].mend) == (
        Level.FAIL,
        "run.py resume --reason WHY",
    )


def test_a_clock_that_is_wrong(tmp_path: Path) -> None:
    (early,) = clock(datetime(1970, 1, 1, tzinfo=UTC), tmp_path)
    assert early.level is Level.FAIL
    written = tmp_path / "x"
    written.touch()
    os.utime(written, (NOW.timestamp() + 900, NOW.timestamp() + 900))
    (back,) = clock(NOW, tmp_path)
    assert "written 0:1" in back.says
    (fine,) = clock(NOW + timedelta(minutes=12), tmp_path)
    assert fine.level is not Level.FAIL


def test_packages_that_differ(tmp_path: Path) -> None:
    pins = tmp_path / "requirements.txt"
    pins.write_text(f"pytest=={pytest.__version__}\nnot-there==1.0\nrich==0.1\n")
    found = packages(pins)
    assert found.level is Level.FAIL
    assert "2 of 3 differ" in found.says
    assert "not-there missing" in found.says


def test_the_command_ends_with_1_on_a_fail(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--json", "--config", str(_swarm(tmp_path, "[nonsense]"))]) == 1
    levels = {f["about"]: f["level"] for f in json.loads(capsys.readouterr().out)}
    assert levels["settings"] == "fail"
    assert main(["doctor", "--config", str(_swarm(tmp_path))]) == 0
    assert "0 fail" in capsys.readouterr().out
