"""What the brains of the configured agents need, and those of nobody else: modules and a server."""

from __future__ import annotations

from bots.brain_settings import ModelSettings
from bots.settings import Settings
from brain.models.provider import Kind

#: adapters and what warms their SDKs, which are heavy: once, before the fork, shared by all
_ADAPTERS: dict[Kind, tuple[str, str]] = {
    "anthropic": ("brain.models.anthropic", "brain.models.warming.anthropic:warm"),
    "openai": ("brain.models.responses", "brain.models.warming.responses:warm"),
    "compatible": ("brain.models.chat", "brain.models.warming.chat:warm"),
    "local": ("brain.models.local", "brain.models.warming.chat:warm"),
}
#: ours around them, where MCP servers are used, and what their SDKs import when they connect
_MIND = "bots.agent.language"
_MCP = ("brain.tools.mcp", "brain.tools.mcp_connection")
_CONNECTING = ("httpcore2", "anyio._backends._asyncio")
#: whose prices are looked up there
_LISTED = ("anthropic", "openai")
_LIST_PRICES = "brain.wallet.known_prices"


def models_in_use(settings: Settings) -> dict[str, ModelSettings]:
    """The models that some agent thinks with, or falls back on, by name."""
    return {
        name: model
        for agent in settings.agents
        for name, model in settings.models_of(agent.name).items()
    }


def preload(settings: Settings) -> list[str]:
    """What the fork server loads for the models in use: ``module``, or ``module:function``."""
    models = models_in_use(settings).values()
    if not models:
        return []
    needed = [_MIND, *(name for model in models for name in _ADAPTERS[model.provider])]
    if any(model.price is None and model.provider in _LISTED for model in models):
        needed.append(_LIST_PRICES)
    if any(agent.mcp for agent in settings.agents if settings.models_of(agent.name)):
        needed += _MCP
    return list(dict.fromkeys([*needed, *_CONNECTING]))


def wants_local(settings: Settings) -> bool:
    """Whether the local model has to run."""
    return any(model.provider == "local" for model in models_in_use(settings).values())
