"""The part of `swarm.toml` about brains: models, money, and turns that nobody asked for."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from bots.setting_types import SecretReference, Table

#: the brain without a model; every chain of fallbacks may end with it
OFFLINE = "offline"
#: more is a mistake, and in billionths of a dollar no database would count it
Usd = Annotated[Decimal, Field(ge=0, le=1_000_000, allow_inf_nan=False)]


class PriceSettings(Table):
    """US dollars for a million tokens."""

    input: Usd
    output: Usd
    #: as input unless given
    cache_read: Usd | None = None
    cache_write: Usd | None = None


class ModelSettings(Table):
    """One model that agents may think with; its table's name is what `brain` refers to."""

    provider: Literal["anthropic", "openai", "compatible", "local"]
    #: the provider's name for it; `local` has one of its own
    model: str = ""
    #: API keys, taken in turn
    keys: tuple[SecretReference, ...] = ()
    #: root of another server's API (Ollama, vLLM, llama.cpp); empty: the provider's own
    base_url: str = ""
    max_output_tokens: int = Field(default=1024, ge=16, le=1_000_000)
    #: the longest silence of the provider, in seconds; well below `limits.turn_timeout_s`, so that
    #: there is time for a fallback
    timeout_s: float = Field(default=20.0, gt=0, le=600, allow_inf_nan=False)
    #: requests that one key may make in a minute
    requests_per_minute: int | None = Field(default=None, ge=1, le=1_000_000)
    #: where the price is not generally known, or another one was agreed
    price: PriceSettings | None = None
    context_tokens: int | None = Field(default=None, ge=1024, le=10_000_000)
    #: what it can do, where that is not generally known
    tools: bool | None = None
    streaming: bool | None = None
    json_schema: bool | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> ModelSettings:
        if self.provider != "local" and not self.model:
            raise ValueError("'model' is missing: the provider's name for it")
        if self.provider == "compatible" and not self.base_url:
            raise ValueError("'base_url' is missing, such as http://127.0.0.1:11434/v1 for Ollama")
        if self.provider in {"anthropic", "openai"} and not self.keys:
            raise ValueError(f"'keys' is missing, such as ['env:{self.provider.upper()}_API_KEY']")
        return self


class DefaultSettings(Table):
    """What agents think with that do not say otherwise, so that one table moves a whole swarm."""

    brain: str = OFFLINE
    fallback: tuple[str, ...] = ()


class BudgetSettings(Table):
    """The most that may be spent, in US dollars; what is not given is not limited."""

    usd_per_hour: Usd | None = None
    usd_per_day: Usd | None = None
    #: for one question or one delegation
    usd_per_task: Usd | None = None


class AgentBudgetSettings(BudgetSettings):
    """An agent's own: nobody spends without a limit for want of a line in a file."""

    usd_per_day: Usd | None = Decimal(1)


class McpSettings(Table):
    """One MCP server whose tools agents may be given."""

    #: the program and its arguments; it talks on its standard streams
    command: tuple[str, ...] = ()
    #: or where it listens
    url: str = ""
    #: environment variables that the program gets, by reference
    secrets: dict[str, SecretReference] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_one_of_two(self) -> McpSettings:
        if bool(self.command) == bool(self.url):
            raise ValueError("give either 'command' or 'url'")
        if self.url and self.secrets:
            raise ValueError("'secrets' go into a program's environment: a 'url' has none")
        return self


class HeartbeatSettings(Table):
    """Turns that nobody asked for: each agent looks around and may act, or stay silent."""

    #: 0: never
    every_s: float = Field(default=300.0, ge=0, le=86_400)
    #: between two lines that nobody asked for, in one channel
    proactive_every_s: float = Field(default=1800.0, ge=0, le=604_800)
