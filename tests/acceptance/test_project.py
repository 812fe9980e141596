"""How the project stands, and what came of work, on a whole swarm."""

from __future__ import annotations

from collections.abc import Callable

from tests.acceptance.stage import Swarm

Make = Callable[..., Swarm]
ROOMS = "[posts]\nevery_s = 0.1\n" + "".join(
    f'[[channels]]\nname = "#{name}"\neverybody = true\n' for name in ("agent-logs", "lab")
)


async def test_operators_say_how_the_project_stands_and_work_is_told_in_the_logs(
    swarm: Make,
) -> None:
    one = swarm(more=ROOMS)
    await one.up()
    alice = await one.person("alice", "#lobby", "#agent-logs")
    await alice.asks("!status project", r"alice: Nobody has said yet how the project stands")
    # What comes before its first look, the captain does not tell.
    await alice.sees(r":captain!\S+ PRIVMSG #agent-logs :.* ready")
    await alice.asks("!project status done I say so", r"alice: No: ")
    wish = ["sign", "project", "status", "blocked", "the mixer hums"]
    signed = (await one.run(*wish)).out.strip()
    await alice.asks(signed, r"alice: The project is blocked since .*: the mixer hums")
    await alice.asks("!status project", r"alice: The project is blocked since .*: the mixer hums")
    await alice.sees(
        r":captain!\S+ PRIVMSG #agent-logs :.*signature said that the project is blocked"
    )

    done = await one.run("delegate", "secretary", "what time is it?", "--wait", "60")
    assert done.code == 0, done.err
    await alice.sees(
        r":captain!\S+ PRIVMSG #agent-logs :.*secretary: D-\S+ for \S+ is done: "
        r"“what time is it\?”, “.*UTC"
    )

    # What an operator has done in private is told, and not quoted.
    wish = ["sign", "delegate", "secretary", "what day is Kassiopeia?"]
    alice.say((await one.run(*wish)).out.strip(), "secretary")
    await alice.sees(r":secretary!\S+ PRIVMSG alice :.*D-")
    await alice.sees(
        r":captain!\S+ PRIVMSG #agent-logs :.*secretary: D-\S+ for \S+ is done: not quoted"
    )
    assert not any("#agent-logs" in line and "Kassiopeia" in line for line in alice.lines)
    rows = one.rows("select agent, kind, state from project_entry order by id")
    assert rows[-1] == ("secretary", "result", "done")
    assert [row[1:] for row in rows[:-1]] == [("status", "blocked"), ("result", "done")]
