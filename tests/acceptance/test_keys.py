"""A running swarm's keys: made at the start, rotated and revoked without a restart, never shown."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from bots.keys.sealing import Master
from tests.acceptance.stage import ROOT, Done, Swarm, until
from tests.acceptance.traffic import chains_hold, family, gone, reborn, settled

Make = Callable[..., Swarm]
SENDERS = '[hooks.senders.github]\nmay_delegate_to = ["captain"]\n'


async def keys(one: Swarm, *words: str) -> Done:
    """`run.py keys` with these words."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(ROOT / "run.py"), "keys", *words),
        *("--config", str(one.folder / "swarm.toml")),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert process.returncode is not None
    return Done(process.returncode, out.decode(), err.decode())


async def made(one: Swarm, *words: str) -> dict[str, Any]:
    done = await keys(one, *words, "--json")
    assert done.code == 0, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def signing(one: Swarm) -> dict[str, str]:
    """Owner → key that signs."""
    where = "retiring_at is null and revoked_at is null"
    return dict(one.rows(f"select owner, key_id from signing_key where {where}"))


def taken(one: Swarm, agent: str) -> list[tuple[str, list[str]]]:
    """What this agent's process has taken over while it ran: its key, and senders' keys."""
    lines = [line for line in one.logs(agent) if line.get("event") == "keys.taken"]
    return [(line["key_id"], line["senders"]) for line in lines]


def secrets(one: Swarm) -> list[str]:
    """The secret half of every key there is."""
    master = Master.of((one.folder / ".parley/secrets/master.key").read_text())
    rows = one.rows("select sealed, key_id, owner from signing_key")
    opened = [master.unseal(sealed, key_id=k, owner=o) for sealed, k, o in rows]
    return [master.text, *(secret.get_secret_value() for secret in opened)]


async def works(one: Swarm, agent: str) -> str:
    """Have `agent` do something; the key that its delegation, done by now, was signed with."""
    done = await one.run("delegate", agent, "who mentioned teal?", "--no-deliver", "--json")
    assert done.code == 0, done.err + done.out
    [(sender, key_id, state)] = one.rows(
        "select sender, key_id, state from delegation order by id desc limit 1"
    )
    assert (sender, state) == (agent, "done")
    return str(key_id)


async def test_keys_are_rotated_and_revoked_while_their_agents_run(swarm: Make) -> None:
    one = swarm(agents=("captain", "secretary"), more=SENDERS)
    await one.up()
    first = signing(one)
    assert set(first) == {"captain", "secretary"}
    pid = await one.pid_of("captain")

    # Rotated: the running process has it when the command returns, or a moment later.
    new = await made(one, "rotate", "captain")
    assert signing(one) == first | {"captain": new["key_id"]}
    await until(lambda: taken(one, "captain") == [(new["key_id"], [])], "the captain has it")
    assert await works(one, "captain") == new["key_id"]
    assert taken(one, "secretary") == []

    # A secret of a sender goes to those whom it may address.
    github = await made(one, "create", "github")
    both = (new["key_id"], [github["key_id"]])
    await until(lambda: taken(one, "captain")[-1] == both, "the captain can hear it")

    # Revoked: dead at once, and the agent has another.
    assert (await keys(one, "revoke", new["key_id"], "--reason", "leaked")).code == 0
    [revoked] = one.rows("select revoked_by from signing_key where key_id = ?", new["key_id"])
    assert revoked != ("",)
    await until(lambda: signing(one).get("captain") not in (None, new["key_id"]), "a new one")
    third = signing(one)["captain"]
    await until(lambda: taken(one, "captain")[-1][0] == third, "the captain has the third")
    assert await works(one, "captain") == third
    assert await one.pid_of("captain") == pid, "nobody was restarted for it"

    # Whoever dies comes back with the key that signs now; nothing else is made.
    os.kill(pid, signal.SIGKILL)
    await reborn(one, "captain", pid)
    everything = family(one)
    before = one.rows("select key_id from signing_key order by key_id")
    os.kill(one.supervisor["pid"], signal.SIGKILL)
    await gone(everything, within_s=10)
    # While it is down, in the store itself.
    fourth = await made(one, "rotate", "captain")
    await one.up()
    await settled(one)
    assert signing(one)["captain"] == fourth["key_id"] == await works(one, "captain")
    assert len(one.rows("select 1 from signing_key")) == len(before) + 1

    listed = await keys(one, "list")
    assert listed.code == 0
    for state in ("signs", "verifies until", "revoked"):
        assert state in listed.out
    _nothing_secret_shows(one, listed)
    await chains_hold(one)


def _nothing_secret_shows(one: Swarm, listed: Done) -> None:
    hidden = secrets(one)
    files = [p for p in (one.folder / ".parley").rglob("*") if p.is_file()]
    shown = [p for p in files if any(s.encode() in p.read_bytes() for s in hidden)]
    assert [p.name for p in shown] == ["master.key"]
    assert not any(secret in listed.out + listed.err for secret in hidden)


async def test_without_its_master_key_a_swarm_talks_and_says_what_it_lacks(swarm: Make) -> None:
    one = swarm(agents=("captain",), more='[keys]\nmaster = "file:there"\n')
    await one.up()
    await one.becomes("degraded")
    assert "no signing key" in (await one.agent("captain"))["reason"]
    assert signing(one) == {}
    done = await keys(one, "rotate", "captain")
    assert done.code == 1
    assert "no such file" in done.err
    (one.folder / "there").write_text(Master.new().text)
    (one.folder / "there").chmod(0o600)
    # Nobody restarts anything: the supervisor looks again.
    await until(lambda: signing(one), "the captain has a key", within_s=30)
    await until(lambda: [k for k, _ in taken(one, "captain")], "its process has it")
    await one.becomes("ready")
