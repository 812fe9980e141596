"""`swarm.toml` as typed settings, and the only place that reads the environment.

Errors name the file, the key, the reason and, for a key nobody knows, the nearest one.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, Field, ValidationError, model_validator

from bots.brain_settings import (
    OFFLINE,
    BudgetSettings,
    DefaultSettings,
    HeartbeatSettings,
    McpSettings,
    ModelSettings,
)
from bots.escalation_settings import EscalationSettings
from bots.hook_settings import HookSettings
from bots.house_settings import (
    ApprovalSettings,
    ConsoleSettings,
    MinutesSettings,
    PostSettings,
    SandboxSettings,
)
from bots.key_settings import KeySettings
from bots.network_settings import (
    DiscordSettings,
    IrcSettings,
)
from bots.setting_types import Table
from bots.swarm_settings import (
    AgentSettings,
    ChannelSettings,
    LimitSettings,
    OperatorSettings,
    SwarmSettings,
)

#: environment variable → table and key of swarm.toml that it stands for
_VARIABLES = {
    "PARLEY_DISCORD_API_BASE": ("discord", "api_base"),
    "PARLEY_DISCORD_GATEWAY": ("discord", "gateway"),
}


class SettingsError(Exception):
    """`swarm.toml` cannot be used; every line of this message names a key and how to mend it."""


class Settings(Table):
    swarm: SwarmSettings = SwarmSettings()
    irc: IrcSettings = IrcSettings()
    discord: DiscordSettings = DiscordSettings()
    agents: tuple[AgentSettings, ...] = Field(min_length=1)
    channels: tuple[ChannelSettings, ...] = ()
    operators: OperatorSettings = OperatorSettings()
    limits: LimitSettings = LimitSettings()
    models: dict[str, ModelSettings] = Field(default_factory=dict)
    defaults: DefaultSettings = DefaultSettings()
    #: of the whole swarm
    budget: BudgetSettings = BudgetSettings()
    mcp: dict[str, McpSettings] = Field(default_factory=dict)
    heartbeat: HeartbeatSettings = HeartbeatSettings()
    approvals: ApprovalSettings = ApprovalSettings()
    escalation: EscalationSettings = EscalationSettings()
    posts: PostSettings = PostSettings()
    minutes: MinutesSettings = MinutesSettings()
    keys: KeySettings = KeySettings()
    hooks: HookSettings = HookSettings()
    sandbox: SandboxSettings = SandboxSettings()
    console: ConsoleSettings = ConsoleSettings()

    @model_validator(mode="before")
    @classmethod
    def _fill_in_defaults(cls, raw: Any) -> Any:
        """As if each agent's table began with what is in `[defaults]`."""
        defaults = raw.get("defaults") if isinstance(raw, dict) else None
        agents = raw.get("agents") if isinstance(raw, dict) else None
        if not isinstance(defaults, dict) or not isinstance(agents, list | tuple):
            return raw
        common = {key: defaults[key] for key in DefaultSettings.model_fields if key in defaults}
        return {**raw, "agents": [_begun_with(common, agent) for agent in agents]}

    @model_validator(mode="after")
    def _names_agree(self) -> Settings:
        names = [a.name for a in self.agents]
        for kind, values in (("name", names), ("IRC nick", [a.nick for a in self.agents])):
            twice = sorted({v for v in values if [w.lower() for w in values].count(v.lower()) > 1})
            if twice:
                raise ValueError(f"two agents share the {kind} {', '.join(twice)}")
        named = [(f"{a.name} may_delegate_to", o) for a in self.agents for o in a.may_delegate_to]
        named += [(f"{c.name} free_response:", a) for c in self.channels for a in c.free_response]
        named += [("discord.deputy:", self.discord.deputy)] if self.discord.deputy else []
        for sender, one in self.hooks.senders.items():
            if sender.lower() in [n.lower() for n in names]:
                raise ValueError(f"hooks.senders.{sender}: that is an agent's name")
            named += [(f"hooks.senders.{sender} may_delegate_to", o) for o in one.may_delegate_to]
        for where, other in named:
            if other not in names and not (other == "all" and "may_delegate_to" in where):
                raise ValueError(_unknown(f"{where} unknown agent", other, names))
        return self

    @model_validator(mode="after")
    def _brains_exist(self) -> Settings:
        if OFFLINE in self.models:
            raise ValueError(f"models.{OFFLINE}: that name is the brain without a model")
        for agent in self.agents:
            for name in agent.brains:
                if name not in self.models and name != OFFLINE:
                    raise ValueError(
                        _unknown(
                            f"{agent.name} thinks with unknown model", name, [*self.models, OFFLINE]
                        )
                    )
            for name in agent.mcp:
                if name.partition(".")[0] not in self.mcp:
                    raise ValueError(
                        _unknown(f"{agent.name} uses unknown MCP server", name, self.mcp)
                    )
        return self

    def agent(self, name: str) -> AgentSettings:
        """The agent of this name; `SettingsError` with the nearest name otherwise."""
        for agent in self.agents:
            if agent.name == name:
                return agent
        near = difflib.get_close_matches(name, [a.name for a in self.agents], 1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise SettingsError(f"There is no agent {name!r}.{hint}")

    @property
    def standup(self) -> str:
        """Cron line of the daily stand-up; empty: never."""
        at = self.swarm.standup
        if not at:
            return self.minutes.standup if at is None else ""
        hour, minute = map(int, at.split(":"))
        return f"{minute} {hour} * * *"

    @property
    def captain(self) -> str:
        """The agent that carries the commands and speaks for the swarm: the captain, else the first
        one that is on Discord.
        """
        there = [a for a in self.agents if "discord" in a.transports] or list(self.agents)
        return next((a.name for a in there if a.role == "captain"), there[0].name)

    def models_of(self, agent: str) -> dict[str, ModelSettings]:
        """The models that this agent asks, in that order, by name."""
        brains = self.agent(agent).brains
        return {name: self.models[name] for name in brains if name in self.models}

    def channels_of(self, agent: AgentSettings) -> tuple[str, ...]:
        """Channels this agent joins, in a stable order, without repeats."""
        common = [c.name for c in self.channels if c.everybody]
        first: dict[str, str] = {}
        for name in [*common, *agent.channels]:
            first.setdefault(name.lower(), name)
        return tuple(first.values())

    def channel(self, name: str) -> ChannelSettings:
        """What is configured for a channel, or for the channel that a thread hangs below."""
        own = name.partition(" / ")[0].lower()
        found = (c for c in self.channels if c.name.lower() == own)
        return next(found, None) or ChannelSettings.model_construct(name=own)

    def prefix_in(self, channel: str) -> str:
        return self.channel(channel).command_prefix or self.irc.command_prefix

    def listen_only(self, channel: str) -> bool:
        return self.channel(channel).listen_only


def _begun_with(common: dict[str, Any], agent: Any) -> Any:
    """An agent's table behind what is common to all."""
    if not isinstance(agent, dict):
        return agent
    if agent.get("brain") == OFFLINE:
        # Who is told to think without a model has nothing to fall back on.
        return {"fallback": ()} | agent
    return common | agent


def load(path: Path) -> Settings:
    """Read `path`; `SettingsError` in words a person can act on."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"{path}: no such file; `--config FILE` names another one") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from None
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None
    _add_environment(raw)
    try:
        return Settings.model_validate(raw, context={"folder": path.absolute().parent})
    except ValidationError as error:
        found = error.errors()
        # Items that are wrong are also counted as missing; that is no mistake of its own.
        inside = {e["loc"][:1] for e in found if len(e["loc"]) > 1}
        own = [e for e in found if not (e["type"] == "too_short" and e["loc"] in inside)]
        lines = [_explain(path, raw, e["loc"], e["type"], e["msg"]) for e in own]
        raise SettingsError("\n".join(lines)) from None


def _add_environment(raw: dict[str, Any]) -> None:
    """What the environment says goes before what the file says."""
    for variable, (table, key) in _VARIABLES.items():
        value = os.environ.get(variable)
        if value is not None and isinstance(raw.setdefault(table, {}), dict):
            raw[table][key] = value


def _explain(
    path: Path, raw: dict[str, Any], loc: tuple[int | str, ...], kind: str, message: str
) -> str:
    key = _dotted(raw, loc)
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(str(loc[-1]), _valid_keys(loc[:-1]), 1, 0.5)
        hint = f"; the nearest valid key is {near[0]!r}" if near else ""
        return f"{path}: {key}: no such key{hint}"
    return f"{path}: {key or 'whole file'}: {message.removeprefix('Value error, ')}"


def _dotted(raw: Any, loc: tuple[int | str, ...]) -> str:
    """`agents.captain.role` rather than `agents.0.role`."""
    words: list[str] = []
    for part in loc:
        try:
            raw = raw[part]
        except (LookupError, TypeError):
            raw = None
        name = raw.get("name") if isinstance(part, int) and isinstance(raw, dict) else None
        words.append(str(name or part))
    return ".".join(words)


def _valid_keys(loc: tuple[int | str, ...]) -> list[str]:
    model: type[BaseModel] = Settings
    for part in loc:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part)
        inner = [field.annotation, *get_args(field.annotation)] if field else []
        model = next((t for t in inner if isinstance(t, type) and issubclass(t, BaseModel)), model)
    return list(model.model_fields)


def environment(name: str) -> str | None:
    """One environment variable: every other module asks here."""
    return os.environ.get(name)


def environment_without(*names: str) -> dict[str, str]:
    """The whole environment but these variables, for tools of ours."""
    return {k: v for k, v in os.environ.items() if k not in names}


def child_environment(**more: str) -> dict[str, str]:
    """Environment for child programs: what a program needs to run, none of our secrets."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "VIRTUAL_ENV", "SYSTEMROOT")
    return {k: v for k, v in os.environ.items() if k in kept} | more


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), 1)
    return f"{what} {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")
