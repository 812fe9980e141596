"""A whole swarm tells a channel what happens, once, whoever dies in between."""

from __future__ import annotations

import asyncio
import json
import re
import urllib.request
from collections.abc import Callable
from typing import Any

from tests.acceptance.stage import Swarm, kill_process, until

Make = Callable[..., Swarm]


async def asked(one: Swarm, method: str, path: str, body: Any = None) -> dict[str, Any]:
    """What the captain's door answers to who has the token."""

    def ask() -> dict[str, Any]:
        with urllib.request.urlopen(request, timeout=20) as response:
            found: dict[str, Any] = json.load(response)
            return found

    token = (one.folder / ".parley/secrets/hook-token").read_text().strip()
    request = urllib.request.Request(
        f"{(await one.agent('captain'))['door_url']}{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}"},
    )
    return await asyncio.to_thread(ask)


async def test_a_channel_is_told_once_of_what_happens(swarm: Make) -> None:
    one = swarm(agents=("captain", "secretary"))
    await one.up()
    alice = await one.person("alice")
    wanted = {"receiver": "irc:#lobby", "topic": "*", "batch_s": 0}
    assert (await asked(one, "POST", "/subscriptions", wanted))["unread"] == 0
    done = await one.run("delegate", "secretary", "who mentioned teal?", "--no-deliver", "--json")
    assert done.code == 0, done.err + done.out
    code = json.loads(done.out)["id"]
    assert code in await alice.sees(r"PRIVMSG #lobby :\S+ \S+ \S+ UTC delegation\.done: ")

    # What happens while nobody tells is told by the next captain.
    captain = await one.pid_of("captain")
    kill_process(captain)
    assert (await one.run("kill", "secretary", "--reason", "it loops")).code == 0
    await alice.sees(r"UTC kill: secretary was killed by ")
    assert await one.pid_of("captain") != captain
    assert (await one.run("resume", "secretary", "--reason", "calm")).code == 0
    await alice.sees(r"UTC kill\.resumed: secretary was resumed by ")
    await alice.barrier()
    told = [re.split(r" UTC ", line)[1] for line in alice.answers(" UTC ")]
    events = (await asked(one, "GET", "/events?since=0"))["events"]
    assert len(told) == len(set(told)) == len(events)
    assert "loops" not in " ".join(told)
    states = "select distinct state from event_delivery"
    await until(lambda: one.rows(states) == [("told",)], "each of them was told")
