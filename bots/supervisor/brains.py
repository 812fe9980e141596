"""What the brains of the configured agents need, and those of nobody else: modules and a server."""

from __future__ import annotations

from bots.brain_settings import ModelSettings
from bots.settings import Settings
from brain.models.provider import Kind

#: adapters, whose SDKs are heavy: loaded once, before the fork, shared by all
_ADAPTERS: dict[Kind, str] = {
    "anthropic": "brain.models.anthropic",
    "openai": "brain.models.responses",
    "compatible": "brain.models.chat",
    "local": "brain.models.local",
}


def models_in_use(settings: Settings) -> dict[str, ModelSettings]:
    """The models that some agent thinks with, or falls back on, by name."""
    names = [name for agent in settings.agents for name in (agent.brain, *agent.fallback)]
    return {name: settings.models[name] for name in names if name in settings.models}


def adapters(settings: Settings) -> list[str]:
    """Modules that speak with the providers of the models in use."""
    providers = [model.provider for model in models_in_use(settings).values()]
    return [_ADAPTERS[provider] for provider in dict.fromkeys(providers)]


def wants_local(settings: Settings) -> bool:
    """Whether the local model has to run."""
    return any(model.provider == "local" for model in models_in_use(settings).values())
