"""The models that one agent may think with, as its settings and its own secrets describe them."""

from __future__ import annotations

from collections.abc import Mapping

from bots.agent.spec import AgentSpec
from bots.brain_settings import OFFLINE, ModelSettings, PriceSettings
from brain.models import packaged
from brain.models.provider import Key, ModelSpec, Price


def models_of(spec: AgentSpec) -> list[ModelSpec]:
    """In the order in which they are asked; the brain without a model is none of them."""
    keys = {name: key.get_secret_value() for name, key in spec.model_keys.items()}
    return [
        described(name, model, keys, spec.local_api)
        for name, model in spec.settings.models_of(spec.name).items()
    ]


def missing_keys(spec: AgentSpec, model: ModelSpec) -> str:
    """Why the keys of this model cannot be had; empty when there is one."""
    wanted = spec.settings.models[model.name].keys
    missing = [spec.missing_keys[name] for name in wanted if name in spec.missing_keys]
    return "" if model.keys or not wanted else "; ".join(missing)


def ends_offline(spec: AgentSpec) -> bool:
    """The brain without a model answers when all others fail."""
    return OFFLINE in spec.agent.brains


def described(
    name: str, model: ModelSettings, keys: Mapping[str, str], local_api: str = ""
) -> ModelSpec:
    """One model of `swarm.toml`; `keys` are by reference, `local_api` is where the local one is."""
    return ModelSpec(
        name=name,
        provider=model.provider,
        model=packaged.MODEL if model.provider == "local" else model.model,
        keys=tuple(
            Key(name=reference, value=keys[reference])
            for reference in model.keys
            if reference in keys
        ),
        base_url=local_api if model.provider == "local" else model.base_url,
        max_output_tokens=model.max_output_tokens,
        timeout_s=model.timeout_s,
        requests_per_minute=model.requests_per_minute,
        price=_price(model.price),
        context_tokens=model.context_tokens,
        tools=model.tools,
        streaming=model.streaming,
        json_schema=model.json_schema,
    )


def _price(price: PriceSettings | None) -> Price | None:
    if price is None:
        return None
    return Price(
        input=price.input,
        output=price.output,
        cache_read=price.cache_read,
        cache_write=price.cache_write,
    )
