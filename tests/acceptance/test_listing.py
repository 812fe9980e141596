"""An agent that lists others by name calls nobody."""

from __future__ import annotations

from collections.abc import Callable

from tests.acceptance.stage import Swarm

Make = Callable[..., Swarm]


async def test_who_is_listed_in_an_answer_does_not_answer(swarm: Make) -> None:
    one = swarm(agents=("captain", "secretary"))
    await one.up()
    alice = await one.person("alice")
    await alice.asks("captain: who can secretary?", r":captain!.*alice: \[offline")
    await alice.asks("!agents", r"PRIVMSG #lobby :(alice: 2 agents|. ?secretary|.*secretary)")
    await alice.asks("captain: how is the swarm?", r":captain!.*alice: .*2 ready")
    assert alice.answers(r":secretary!.*PRIVMSG #lobby :captain") == []
    assert (
        one.rows("select 1 from inbox i join message m on m.id = i.message_id where m.hops > 0")
        == []
    )
