"""Work handed over on a whole swarm: from a shell, over HTTP, and what comes of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import psutil

from tests.acceptance.stage import Swarm, kill_process, until

Make = Callable[..., Swarm]
CHANNELS = """
[[channels]]
name = "#ubuntu"
everybody = true
[[channels]]
name = "#reports"
everybody = true
"""
LOG = """\
[09:03] <alice> does anybody know why the mixer hums?
[09:04] <bob> alice: ground it, then the mixer is quiet
[09:06] <alice> bob: that was it, thanks, the hum is gone
"""


def yesterday() -> str:
    return f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"


async def test_a_shell_gets_a_summary_of_yesterday_that_is_also_in_the_channel(
    swarm: Make, tmp_path: Path
) -> None:
    one = swarm(more=CHANNELS)
    await one.up()
    reader = await one.person("reader", "#reports")
    log = tmp_path / "ubuntu.txt"
    log.write_text(LOG)
    kept = await one.run("replay", str(log), "--channel", "#ubuntu", "--day", yesterday())
    assert kept.code == 0, kept.err

    wish = "summarise yesterday in #ubuntu and post it to #reports"
    done = await one.run("delegate", "auto", wish, "--wait", "60", "--json")
    assert done.code == 0, done.err + done.out
    told = json.loads(done.out)
    assert told["agent"] == "secretary"
    assert told["chosen"][0].startswith("secretary ")
    assert told["status"] == "done"
    assert "mixer" in told["result"]
    assert told["delivered"]["target"] == "irc:#reports"
    assert told["delivered"]["message_id"]
    await reader.sees(r"^:secretary!\S+ PRIVMSG #reports :.*mixer")


async def test_what_scripts_count_on(swarm: Make) -> None:
    one = swarm(more=CHANNELS)
    nobody = await one.run("delegate", "secretary", "help")
    assert nobody.code == 3
    status = await one.up()
    token = (one.folder / ".parley/secrets/hook-token").read_text().strip()

    wrong = await one.run("delegate", "secretery", "help")
    assert (wrong.code, "did you mean secretary" in wrong.err) == (2, True)
    handed = await one.run("delegate", "auditor", "help", "--wait", "0")
    assert (handed.code, "auditor has it" in handed.out) == (0, True)
    nowhere = await one.run("delegate", "auditor", "help", "--channel", "irc:#nowhere")
    assert (nowhere.code, "no agent sits in" in nowhere.err) == (2, True)
    first = await one.run("delegate", "auditor", "help", "--key", "k", "--json")
    again = await one.run("delegate", "auditor", "help", "--key", "k", "--json")
    assert json.loads(first.out)["id"] == json.loads(again.out)["id"]

    # From another machine: a URL and a token by reference.
    door = next(a["hook_url"] for a in status["agents"] if a["name"] == "captain")
    elsewhere = one.folder / "token"
    elsewhere.write_text(token)
    elsewhere.chmod(0o600)
    reference = ("--token", f"file:{elsewhere}")
    far = await one.run("delegate", "secretary", "help", "--hook", door, *reference)
    assert far.code == 0, far.err
    assert "who mentioned the mixer" in far.out

    await one.run("kill", "secretary", "--reason", "odd")
    killed = await one.run("delegate", "secretary", "help")
    assert (killed.code, "killed by" in killed.err) == (4, True)
    other = await one.run("delegate", "auto", "summarise #lobby", "--json")
    assert other.code == 0, other.err
    assert json.loads(other.out)["agent"] != "secretary"


async def test_a_door_that_dies_is_exchanged_and_the_work_goes_on(swarm: Make) -> None:
    one = swarm(more=CHANNELS)
    await one.up()
    # The agent cannot begin: it is stopped, and dies before it wakes.
    pid = await one.pid_of("auditor")
    kill_process(pid, 19)
    waiting = asyncio.create_task(one.run("delegate", "auditor", "help", "--wait", "50", "--json"))
    # Its door takes the connection and says nothing.
    await until(lambda: _is_asked(pid), "the door is asked")
    kill_process(pid)
    done = await waiting
    assert done.code == 0, done.err + done.out
    assert one.rows("select state from delegation") == [("done",)]


async def test_a_body_by_curl_and_a_tree_by_hand(swarm: Make) -> None:
    one = swarm(more=CHANNELS)
    status = await one.up()
    token = (one.folder / ".parley/secrets/hook-token").read_text().strip()
    door = next(a["hook_url"] for a in status["agents"] if a["name"] == "captain")
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers) as http:
        body = {"message": "who are you?", "agentId": "auditor", "wait": 30}
        async with http.post(f"{door}/hooks/agent", json=body) as response:
            assert response.status == 200
            told = await response.json()
        assert told["status"] == "done"
        async with http.get(f"{door}/tasks/{told['id']}") as response:
            assert (await response.json())["result"] == told["result"]


def _is_asked(pid: int) -> bool:
    """Somebody has connected to a port that this process listens on."""
    connections = psutil.Process(pid).net_connections("tcp")
    ports = {c.laddr.port for c in connections if c.status == psutil.CONN_LISTEN}
    return any(
        c.raddr and c.raddr.port in ports and c.status == psutil.CONN_ESTABLISHED
        for c in psutil.net_connections("tcp")
    )
