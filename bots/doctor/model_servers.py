"""Asks a model server for its list of models: costs no token, and shows whether it is there,
takes the key, and knows the model.

Sources: OpenAI's and Anthropic's API references, "List models"; Anthropic, vLLM and llama.cpp
say how many tokens a model reads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from brain.models.provider import Key, ModelSpec

WITHIN_S = 5.0
#: a list of models is some kilobytes; what is longer is something else
_LONGEST_BODY = 2_000_000
_VENDORS = {"openai": "https://api.openai.com/v1", "anthropic": "https://api.anthropic.com"}
_ANTHROPIC_VERSION = "2023-06-01"


@dataclass(frozen=True)
class Listed:
    """What a server said: its status, and each model's context size where it tells."""

    status: int
    #: None: the answer was no list of models
    models: Mapping[str, int | None] | None = None
    #: it answers with the one model that it has, whatever it is asked for
    takes_any_name: bool = False

    def knows(self, name: str) -> bool:
        # Ollama lists tags; a name without one means `latest`.
        return self.models is not None and (name in self.models or f"{name}:latest" in self.models)


class NoServer(Exception):
    """Nobody answers; the text says why, and holds no key."""


def address(spec: ModelSpec) -> str:
    """Where this model's server lists its models."""
    root = (spec.base_url or _VENDORS[spec.provider]).rstrip("/")
    return f"{root}/v1/models?limit=1000" if spec.provider == "anthropic" else f"{root}/models"


def address_hint(spec: ModelSpec, status: int) -> str:
    """What to do when `address` answered with something else than a list of models."""
    if status == 429 or status >= 500:
        return "it is there and in trouble: see its log, or ask again in a minute"
    key, root = f"models.{spec.name}.base_url", spec.base_url.rstrip("/")
    if 300 <= status < 400:
        return f"it sends us elsewhere, and keys follow nobody: write that address into {key}"
    if root.endswith("/v1") == (spec.provider != "anthropic"):
        return f"another program may listen there: check host, port and path of {key}"
    if root.endswith("/v1"):
        return f'leave out /v1, we add it: {key} = "{root.removesuffix("/v1")}"'
    return f'it is the root of the API, and of most servers it ends in /v1: {key} = "{root}/v1"'


async def listed(spec: ModelSpec, key: Key | None) -> Listed:
    """One GET with this key; raises `NoServer`."""
    timeout = aiohttp.ClientTimeout(total=WITHIN_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=_headers(spec, key)) as session,
            # A key goes where swarm.toml sends it, not where an answer points to.
            session.get(address(spec), allow_redirects=False) as response,
        ):
            body = await response.content.read(_LONGEST_BODY)
    except TimeoutError:
        raise NoServer(f"no answer within {WITHIN_S:.0f} s") from None
    except (aiohttp.ClientError, ValueError) as error:
        raise NoServer(_why(error)) from None
    if response.status != 200:
        return Listed(response.status)
    return _read(body)


def _headers(spec: ModelSpec, key: Key | None) -> dict[str, str]:
    if key is None:
        return {}
    if spec.provider == "anthropic":
        return {"x-api-key": key.value, "anthropic-version": _ANTHROPIC_VERSION}
    return {"Authorization": f"Bearer {key.value}"}


def _why(error: aiohttp.ClientError | ValueError) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return "its certificate is not to be trusted"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "there is no host of that name"
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.strerror or "no connection"
    if isinstance(error, aiohttp.InvalidURL):
        return "that is no address"
    # The words of other errors may hold a header, and so the key.
    return type(error).__name__


def _read(body: bytes) -> Listed:
    try:
        found = json.loads(body)["data"]
        models = {str(one["id"]): _context(one) for one in found}
        any_name = [one.get("owned_by") == "llamacpp" for one in found] == [True]
    except (ValueError, LookupError, TypeError, AttributeError):
        return Listed(200)
    return Listed(200, models, any_name)


def _context(one: Mapping[str, Any]) -> int | None:
    meta = one.get("meta")
    told = one.get("max_model_len") or one.get("max_input_tokens")
    told = told or (meta.get("n_ctx") if isinstance(meta, dict) else None)
    return told if isinstance(told, int) else None
