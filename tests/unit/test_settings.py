"""Every mistake in swarm.toml gets a sentence with the file, the key and the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from bots.settings import Settings, SettingsError, child_environment, environment, load

ROOT = Path(__file__).parents[2]
AGENT = '[[agents]]\nname = "captain"\nrole = "captain"\n'


def _write(folder: Path, text: str) -> Path:
    path = folder / "swarm.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _error(folder: Path, text: str) -> str:
    path = _write(folder, text)
    with pytest.raises(SettingsError) as error:
        load(path)
    message = str(error.value)
    assert all(line.startswith(f"{path}: ") for line in message.splitlines())
    return message.replace(f"{path}: ", "")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x = [", "not valid TOML"),
        ("", "agents: Field required"),
        ("agents = []", "agents: Tuple should have at least 1 item"),
        (f"[swrm]\n{AGENT}", "swrm: no such key; the nearest valid key is 'swarm'"),
        (f"[zzz]\n{AGENT}", "zzz: no such key"),
        (
            f'[swarm]\nnats_ulr = "x"\n{AGENT}',
            "swarm.nats_ulr: no such key; the nearest valid key is 'nats_url'",
        ),
        (
            f"{AGENT}capabilites = []\n",
            "agents.captain.capabilites: no such key; the nearest valid",
        ),
        (
            f"{AGENT}irc.nik = 'x'\n",
            "agents.captain.irc.nik: no such key; the nearest valid key is",
        ),
        ('[[agents]]\nrole = "x"\n', "agents.0.name: Field required"),
        ('[[agents]]\nname = "all"\nrole = "x"\n', "agents.all.name: a name is letters, digits"),
        ('[[agents]]\nname = "1a"\nrole = "x"\n', "agents.1a.name: a name is letters, digits"),
        (f"{AGENT}channels = ['lobby']\n", "agents.captain.channels.0: a channel begins with '#'"),
        (f"{AGENT}channels = ['#a,b']\n", "a channel begins with '#' and has no blanks or commas"),
        (
            f"{AGENT}irc.password = 'hunter2'\n",
            "agents.captain.irc.password: a secret is given by reference only: env:NAME, file:PATH",
        ),
        (f"{AGENT}brain = 'genius'\n", "captain thinks with unknown model 'genius'"),
        (f"{AGENT}fallback = ['offlne']\n", "model 'offlne'; did you mean 'offline'?"),
        (f"{AGENT}mcp = ['files']\n", "captain uses unknown MCP server 'files'"),
        (f"[models.x]\nprovider = 'openai'\n{AGENT}", "models.x: 'model' is missing"),
        (
            f"[models.x]\nprovider = 'openai'\nmodel = 'm'\n{AGENT}",
            "models.x: 'keys' is missing, such as ['env:OPENAI_API_KEY']",
        ),
        (
            f"[models.x]\nprovider = 'compatible'\nmodel = 'm'\n{AGENT}",
            "models.x: 'base_url' is missing",
        ),
        (
            f"[models.x]\nprovider = 'local'\ncontext_token = 1\n{AGENT}",
            "models.x.context_token: no such key; the nearest valid key is 'context_tokens'",
        ),
        (f"[models.offline]\nprovider = 'local'\n{AGENT}", "that name is the brain without"),
        (f"[budget]\nusd_per_day = -1\n{AGENT}", "budget.usd_per_day: Input should be greater"),
        (f"[mcp.a]\n{AGENT}", "mcp.a: give either 'command' or 'url'"),
        (
            f"[mcp.a]\nurl = 'http://127.0.0.1:1'\nsecrets = {{ T = 'env:T' }}\n{AGENT}",
            "mcp.a: 'secrets' go into a program's environment",
        ),
        (f"{AGENT}hook_port = 70000\n", "agents.captain.hook_port: Input should be less than"),
        (f"[limits]\nmax_hops = 0\n{AGENT}", "limits.max_hops: Input should be greater than"),
        (
            f"[limits]\nsimilarity = 'x'\n{AGENT}",
            "limits.similarity: Input should be a valid number",
        ),
        (f"[swarm]\nname = 'a b'\n{AGENT}", "swarm.name: String should match pattern"),
        (f"{AGENT}{AGENT}", "two agents share the name captain"),
        (
            f"{AGENT}[[agents]]\nname = 'b'\nrole = 'b'\nirc.nick = 'Captain'\n",
            "two agents share the IRC nick Captain, captain",
        ),
        (
            f"{AGENT}may_delegate_to = ['captian']\n",
            "captain may_delegate_to unknown agent 'captian'; did you mean 'captain'?",
        ),
    ],
)
def test_each_mistake_has_its_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    assert sentence in _error(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        *[
            (f"[models.x]\nprovider = 'local'\n{key} = {value}\n", f"models.x.{key}")
            for key, value in (
                ("requests_per_minute", 10**18),
                ("max_output_tokens", 10**18),
                ("context_tokens", 10**18),
                ("timeout_s", "1e9"),
                ("timeout_s", "inf"),
                ("timeout_s", "nan"),
            )
        ],
        *[
            (
                f"[models.x]\nprovider = 'local'\nprice = {{input = 1, output = {value}}}\n",
                "models.x.price.output",
            )
            for value in ("1e30", "nan", "inf", "'1e400'")
        ],
        ("[budget]\nusd_per_hour = inf\n", "budget.usd_per_hour"),
        ("[budget]\nusd_per_task = nan\n", "budget.usd_per_task"),
        ("[budget]\nusd_per_day = 1e30\n", "budget.usd_per_day"),
        ("[limits]\nturn_tokens = 1000000000000000000\n", "limits.turn_tokens"),
        ("[limits]\nturn_usd = 1e30\n", "limits.turn_usd"),
        # Less than is counted would be no limit at all.
        ("[limits]\nturn_usd = 0\n", "limits.turn_usd"),
        ("[limits]\nturn_usd = 1e-10\n", "limits.turn_usd"),
    ],
)
def test_numbers_have_an_end(tmp_path: Path, text: str, where: str) -> None:
    assert f"{where}: Input should be" in _error(tmp_path, text + AGENT)


def test_a_secret_that_stands_in_the_file_is_not_repeated(tmp_path: Path) -> None:
    assert "hunter2" not in _error(tmp_path, f"{AGENT}irc.password = 'hunter2'\n")


def test_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    assert len(_error(tmp_path, f"{AGENT}colour = 1\nhook_port = -1\n").splitlines()) == 2


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such file; `--config FILE` names another"):
        load(tmp_path / "none.toml")
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        load(tmp_path)
    path = tmp_path / "swarm.toml"
    path.write_bytes(b"\xff")
    with pytest.raises(SettingsError, match="not valid TOML"):
        load(path)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(
        _write(
            tmp_path,
            """
            [[agents]]
            name = "captain"
            role = "captain"
            channels = ["#technical", "#lobby", "#technical"]
            [[agents]]
            name = "buyer"
            role = "buyer"
            irc.nick = "Buyer1"
            [[channels]]
            name = "#Lobby"
            everybody = true
            command_prefix = "."
            [[channels]]
            name = "#technical"
            listen_only = true
            """,
        )
    )


def test_agents_by_name(settings: Settings) -> None:
    assert settings.agent("buyer").nick == "Buyer1"
    assert settings.agent("captain").nick == "captain"
    with pytest.raises(SettingsError, match=r"no agent 'captan'\. Did you mean captain"):
        settings.agent("captan")


def test_channels_of_an_agent_begin_with_everybodys(settings: Settings) -> None:
    assert settings.channels_of(settings.agent("buyer")) == ("#Lobby",)
    assert settings.channels_of(settings.agent("captain")) == ("#Lobby", "#technical")


def test_prefix_and_silence_by_channel(settings: Settings) -> None:
    assert settings.prefix_in("#lobby") == "."
    assert settings.prefix_in("#other") == "!"
    assert settings.listen_only("#TECHNICAL")
    assert not settings.listen_only("#lobby")


def test_the_shipped_swarm() -> None:
    swarm = load(ROOT / "swarm.toml")
    assert [agent.name for agent in swarm.agents] == [
        "captain",
        "tech-lead",
        "secretary",
        "auditor",
        "harvester",
        "skill-extractor",
        "soul-extractor",
        "buyer",
    ]
    assert all((ROOT / "prompts" / "souls" / f"{a.name}.md").is_file() for a in swarm.agents)
    assert all("#lobby" in swarm.channels_of(agent) for agent in swarm.agents)
    described = {channel.name for channel in swarm.channels}
    assert {name for agent in swarm.agents for name in agent.channels} <= described
    assert swarm.agent("captain").may_delegate_to == ("all",)
    assert "captain" not in swarm.agent("tech-lead").may_delegate_to


def test_child_programs_get_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "hunter2")
    assert environment("ANTHROPIC_API_KEY") == "hunter2"
    child = child_environment(EXTRA="1")
    assert "hunter2" not in child.values()
    assert child["EXTRA"] == "1"
    assert "PATH" in child


def test_paths_are_seen_from_the_folder_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "swarm.toml"
    file.write_text(
        '[irc]\ntls_authority = "ca.pem"\nserver_password = "file:secrets/server"\n'
        '[[agents]]\nname = "captain"\nrole = "captain"\n'
        '[agents.irc]\ncertificate = "/etc/captain.pem"\npassword = "env:CAPTAIN"\n'
    )
    settings = load(file)
    assert settings.irc.tls_authority == str(tmp_path / "ca.pem")
    assert settings.irc.server_password == f"file:{tmp_path}/secrets/server"
    assert settings.agents[0].irc.certificate == "/etc/captain.pem"
    assert settings.agents[0].irc.password == "env:CAPTAIN"


def test_the_environment_points_the_bots_at_another_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "swarm.toml"
    file.write_text(f'[discord]\napi_base = "http://here/api"\n{AGENT}')
    monkeypatch.setenv("PARLEY_DISCORD_API_BASE", "http://there/api")
    monkeypatch.setenv("PARLEY_DISCORD_GATEWAY", "ws://there/gateway")
    discord = load(file).discord
    assert (discord.api_base, discord.gateway) == ("http://there/api", "ws://there/gateway")


def test_what_a_budget_does_not_say_is_no_limit_but_an_agents_day() -> None:
    agent = {"name": "captain", "role": "captain", "budget": {"usd_per_task": "0.1"}}
    settings = Settings.model_validate({"agents": [agent], "budget": {"usd_per_hour": "5"}})
    assert settings.budget.usd_per_day is None
    assert settings.agents[0].budget.usd_per_day == 1
