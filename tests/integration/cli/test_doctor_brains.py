"""What the doctor says of models: each trouble with what mends it, and never a key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bots.doctor.finding import Finding, Level
from bots.doctor.round import examine
from bots.local_model import packages

ROOT = Path(__file__).parents[3]
KEY, OTHER = "a-good-key-of-31-characters-long", "a-stale-key-of-32-characters-too"
NEVER = "captain never asks house: a short question may cost 0.02624 USD, and "
FREE_END = 'fallback = ["offline"]'


@dataclass
class Models:
    """A model server of which nobody asks more than its list."""

    data: list[dict[str, Any]]
    #: None: no key is wanted
    key: str | None = None
    asked: list[str] = field(default_factory=list)
    port: int = 0

    async def list(self, request: web.Request) -> web.Response:
        self.asked.append(str(request.rel_url))
        told = request.headers.get("x-api-key", request.headers.get("Authorization", ""))
        if self.key is not None and told.removeprefix("Bearer ") != self.key:
            return web.json_response({"error": f"no such key: {told}"}, status=401)
        return web.json_response({"object": "list", "data": self.data})

    async def away(self, _request: web.Request) -> web.Response:
        raise web.HTTPFound("http://127.0.0.1:1/stolen")

    async def busy(self, _request: web.Request) -> web.Response:
        raise web.HTTPServiceUnavailable


@asynccontextmanager
async def serving(models: Models) -> AsyncIterator[str]:
    app = web.Application()
    app.add_routes(
        [
            web.get("/v1/models", models.list),
            web.get("/moved/models", models.away),
            web.get("/busy/models", models.busy),
        ]
    )
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def model(name: str, provider: str, *lines: str) -> str:
    return "\n".join([f"[models.{name}]", f'provider = "{provider}"', *lines]) + "\n"


def compatible(base_url: str, *lines: str, called: str = "qwen3:8b") -> str:
    told = (f'model = "{called}"', f'base_url = "{base_url}"', *lines)
    return model("house", "compatible", *told)


def agent(name: str, *lines: str) -> str:
    return "\n".join(["[[agents]]", f'name = "{name}"', 'role = "r"', 'soul = "captain"', *lines])


def key(folder: Path, value: str) -> str:
    """A reference to a file with this key in it."""
    path = folder / f"{value[:8]}.key"
    path.touch(mode=0o600)
    path.write_text(value)
    return f"file:{path.name}"


async def look(folder: Path, *tables: str, online: bool = False) -> list[Finding]:
    path = folder / "swarm.toml"
    path.write_text("\n".join(tables) + "\n")
    found = [f async for f in examine(path, ROOT, datetime.now(UTC), online=online)]
    assert [f for f in found if f.about == "settings" and f.level is Level.FAIL] == []
    for value in (KEY, OTHER):
        assert value not in str(found)
    return [f for f in found if f.about == "brains"]


async def test_a_swarm_without_models_is_offline(tmp_path: Path) -> None:
    [one] = await look(tmp_path, agent("captain"))
    assert (one.level, one.says) == (Level.OK, "offline: no agent thinks with a language model")


async def test_what_no_agent_uses_is_named_and_left_alone(tmp_path: Path) -> None:
    lonely = compatible("http://127.0.0.1:1/v1", 'keys = ["env:NOT_SET_ANYWHERE"]')
    says = [f.says for f in await look(tmp_path, lonely, agent("captain"))]
    assert says[1:] == ["house: no agent thinks with it"]


async def test_a_server_that_has_the_model(tmp_path: Path) -> None:
    models = Models([{"id": "qwen3:8b", "max_model_len": 32768}])
    async with serving(models) as url:
        table = compatible(f"{url}/v1", "context_tokens = 16384")
        [one] = await look(tmp_path, table, agent("captain", 'brain = "house"'))
    assert (one.level, one.says) == (Level.OK, "house: qwen3:8b, free, reads 16,384 tokens")
    assert models.asked == ["/v1/models"]


async def test_a_model_without_a_tag_is_ollamas_latest(tmp_path: Path) -> None:
    async with serving(Models([{"id": "qwen3:latest"}])) as url:
        table = compatible(f"{url}/v1", "context_tokens = 4096", called="qwen3")
        [one] = await look(tmp_path, table, agent("captain", 'brain = "house"'))
    assert one.level is Level.OK


async def test_a_model_that_the_server_does_not_have(tmp_path: Path) -> None:
    async with serving(Models([{"id": "qwen3:14b"}, {"id": "llama3.2"}])) as url:
        table = compatible(f"{url}/v1", "context_tokens = 4096")
        [one] = await look(tmp_path, table, agent("captain", 'brain = "house"'))
    assert one.level is Level.FAIL
    assert one.says == "house: its server has no model 'qwen3:8b'"
    assert one.mend == "load it there, or name one that it has: qwen3:14b, llama3.2"


async def test_llama_cpp_takes_any_name_and_tells_its_size(tmp_path: Path) -> None:
    data = [{"id": "weights.gguf", "owned_by": "llamacpp", "meta": {"n_ctx": 8192}}]
    async with serving(Models(data)) as url:
        table = compatible(f"{url}/v1", "context_tokens = 8192")
        [fine] = await look(tmp_path, table, agent("captain", 'brain = "house"'))
        table = compatible(f"{url}/v1", "context_tokens = 32768")
        [wrong] = await look(tmp_path, table, agent("captain", 'brain = "house"'))
    assert fine.level is Level.OK
    assert wrong.says == "house: context_tokens is 32,768, its server reads 8,192"
    assert wrong.mend == "models.house.context_tokens = 8192"


async def test_a_size_that_nobody_gave_is_assumed_and_said(tmp_path: Path) -> None:
    async with serving(Models([{"id": "qwen3:8b"}])) as url:
        [one] = await look(tmp_path, compatible(f"{url}/v1"), agent("captain", 'brain = "house"'))
    assert one.level is Level.WARN
    assert "house: how much it reads is not known; 4,096 tokens are assumed" in one.says


async def test_a_server_that_is_down(tmp_path: Path, unused_tcp_port: int) -> None:
    table = compatible(f"http://127.0.0.1:{unused_tcp_port}/v1", "context_tokens = 4096")
    [one] = await look(tmp_path, table, agent("captain", 'brain = "house"'))
    assert one.level is Level.FAIL
    assert one.says.startswith(
        f"house: nobody answers at http://127.0.0.1:{unused_tcp_port}/v1/models: "
    )
    assert one.mend == "start it, or correct models.house.base_url"


@pytest.mark.parametrize(
    ("provider", "path", "mend"),
    [
        ("compatible", "", 'of most servers it ends in /v1: models.house.base_url = "URL/v1"'),
        ("compatible", "/other/v1", "check host, port and path of models.house.base_url"),
        ("compatible", "/moved", "write that address into models.house.base_url"),
        ("compatible", "/busy", "it is there and in trouble"),
        ("anthropic", "/v1", 'leave out /v1, we add it: models.house.base_url = "URL"'),
        ("anthropic", "/other", "check host, port and path of models.house.base_url"),
    ],
)
async def test_an_address_that_is_no_api(
    tmp_path: Path, provider: str, path: str, mend: str
) -> None:
    async with serving(Models([])) as url:
        told = ('model = "claude-sonnet-4-5"', f'base_url = "{url}{path}"', "context_tokens = 4096")
        keys = f'keys = ["{key(tmp_path, KEY)}"]'
        table = model("house", provider, *told, keys)
        [one] = await look(tmp_path, table, agent("captain", 'brain = "house"', FREE_END))
    assert one.level is Level.FAIL
    assert "is no list of models (status" in one.says
    assert mend.replace("URL", url) in one.mend


async def test_each_key_is_tried_and_the_refused_one_named(tmp_path: Path) -> None:
    pool = f'keys = ["{key(tmp_path, KEY)}", "{key(tmp_path, OTHER)}"]'
    models = Models([{"id": "qwen3:8b"}], key=KEY)
    async with serving(models) as url:
        table = compatible(f"{url}/v1", "context_tokens = 4096", pool)
        [one] = await look(tmp_path, table, agent("captain", 'brain = "house"'))
    assert one.level is Level.FAIL
    assert "house: its server refuses the key file:" in one.says
    assert one.says.endswith(f"{OTHER[:8]}.key (401)")
    assert len(models.asked) == 2


async def test_a_missing_key_is_named_with_the_way_to_set_it(tmp_path: Path) -> None:
    claude = model("claude", "anthropic", 'model = "claude-sonnet-4-5"', 'keys = ["env:NOT_SET"]')
    [one] = await look(tmp_path, claude, agent("captain", 'brain = "claude"', FREE_END))
    assert one.level is Level.FAIL
    assert "models.claude.keys: env:NOT_SET: this variable is not set; export it" in one.says
    assert one.mend == "in the shell that starts the swarm: export NOT_SET=…"


async def test_vendors_are_asked_on_demand_alone(tmp_path: Path) -> None:
    """Where `base_url` leads to a server of ours; their own addresses are not for tests."""
    told = ('model = "claude-sonnet-4-5"', f'keys = ["{key(tmp_path, KEY)}"]')
    captain = agent("captain", 'brain = "claude"', FREE_END)
    [one] = await look(tmp_path, model("claude", "anthropic", *told), captain)
    assert one.level is Level.OK
    assert "claude: claude-sonnet-4-5, 3 and 15 USD a million tokens in and out" in one.says
    assert "the vendor was not asked (`doctor --online` does)" in one.says
    models = Models([{"id": "claude-sonnet-4-5"}], key=KEY)
    async with serving(models) as url:
        table = model("claude", "anthropic", *told, f'base_url = "{url}"')
        [one] = await look(tmp_path, table, captain, online=True)
    assert one.level is Level.OK
    assert models.asked == ["/v1/models?limit=1000"]


async def test_an_unknown_price_is_asked_for(tmp_path: Path) -> None:
    far = compatible("http://192.0.2.1:1/v1", "context_tokens = 4096")
    found = await look(tmp_path, far, agent("captain", 'brain = "house"', FREE_END))
    says = [f.says for f in found if f.level is Level.FAIL]
    assert any("Nobody knows what house (qwen3:8b) costs, so it is not asked" in s for s in says)
    assert any(f.mend.startswith("[models.house]: price = {") for f in found)


def paid(url: str) -> str:
    price = "price = { input = 2, output = 10 }"
    return compatible(f"{url}/v1", "context_tokens = 8192", price)


@pytest.mark.parametrize(
    ("more", "captain", "sentence"),
    [
        ("", "", "captain: nobody answers when the money or the key is gone"),
        (
            "",
            f"budget.usd_per_day = 0\n{FREE_END}",
            f"{NEVER}0.00 USD a day of captain is allowed",
        ),
        (
            "[budget]\nusd_per_hour = 0.01",
            FREE_END,
            f"{NEVER}0.01 USD an hour of the swarm is allowed",
        ),
        (
            "[budget]\nusd_per_day = 2",
            f"budget.usd_per_day = 5\n{FREE_END}",
            "captain may spend 5.00 USD a day, the whole swarm only 2.00",
        ),
    ],
)
async def test_money_that_cannot_work_out(
    tmp_path: Path, more: str, captain: str, sentence: str
) -> None:
    async with serving(Models([{"id": "qwen3:8b"}])) as url:
        found = await look(tmp_path, more, paid(url), agent("captain", 'brain = "house"', captain))
    assert [(f.level, f.says) for f in found if f.level is not Level.OK] == [(Level.WARN, sentence)]
    assert all(f.mend for f in found if f.level is not Level.OK)


async def test_the_local_model_and_its_packages(tmp_path: Path) -> None:
    found = await look(tmp_path, model("small", "local"), agent("captain", 'brain = "small"'))
    if packages.missing():
        assert found[0].level is Level.FAIL
        assert packages.INSTALL in found[0].mend
    else:
        assert [f.level for f in found] == [Level.OK]
        assert "weak: it takes no decisions and gets no tools" in found[0].says
