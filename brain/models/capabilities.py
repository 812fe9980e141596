"""What models can do, as far as it is generally known.

What `swarm.toml` says about a model comes first; then what is known of its family; then what its
provider can be trusted with. A new version of a known family is taken for its nearest relative.

Sizes: the vendors' model pages. What a model cannot be asked through the adapters here (audio,
images, embeddings) is not listed.
"""

from __future__ import annotations

import re
from dataclasses import replace

from brain.model import Capabilities
from brain.models.provider import Kind, ModelSpec

#: below this many parameters a model's judgement is not relied on
_WEAK_BELOW = 3e9
#: who sells or tuned a model, in front of its name: ``openai/``, ``us.anthropic.``, ``ft:``
_SELLER = re.compile(r"^(?:ft:|.*/|(?:\w+\.)?anthropic\.)")
_PARAMETERS = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)([bm])(?![a-z])")


def _can(
    context_tokens: int, *, tools: bool = True, streaming: bool = True, json_schema: bool = True
) -> Capabilities:
    return Capabilities(
        tools=tools, streaming=streaming, json_schema=json_schema, context_tokens=context_tokens
    )


#: start of a model's name (a regular expression), and what such models can do; the first that fits
_HOSTED: tuple[tuple[str, Capabilities], ...] = (
    (r"claude-(?:2|v1|instant)", _can(100_000, tools=False, json_schema=False)),
    (r"claude-3", _can(200_000, json_schema=False)),
    (r"claude-(?:opus|sonnet)-4(?:-0)?(?:@|-2\d{7}|$)", _can(200_000, json_schema=False)),
    (r"claude-opus-4[-.][15]", _can(200_000)),
    (r"claude-(?:sonnet|haiku)-4[-.]5", _can(200_000)),
    (r"claude-", _can(1_000_000)),
    (r"gpt-3\.5", _can(16_385, json_schema=False)),
    (r"gpt-4-turbo|gpt-4-\d{4}-preview", _can(128_000, json_schema=False)),
    (r"gpt-4-32k", _can(32_768, json_schema=False)),
    (r"gpt-4(?:-0|$)", _can(8_192, json_schema=False)),
    (r"gpt-4\.1", _can(1_000_000)),
    (r"(?:chat)?gpt-4o|gpt-4\.5", _can(128_000)),
    (r"gpt-oss", _can(131_072)),
    (r"gpt-5(?:\.\d)?-chat|gpt-5\.3(?!-codex)|gpt-chat", _can(128_000)),
    # Of their 400,000 tokens, 128,000 are kept for the answer.
    (r"gpt-5(?:\.[123])?(?![.\d])|gpt-5\.4-(?:mini|nano)", _can(272_000)),
    (r"gpt-[5-9]", _can(1_000_000)),
    (r"o1-(?:mini|preview)", _can(128_000, tools=False, json_schema=False)),
    (r"o\d", _can(200_000)),
    (r"codex-mini", _can(200_000)),
)

# Ollama reads 4,096 tokens unless told otherwise, whatever the model could, and silently drops
# the rest (its FAQ), so `context_tokens` is for the operator to raise.
_SERVED_HERE = _can(4_096)

#: open models whose chat templates know tools; others take them for words, or are refused them
_OPEN_WITH_TOOLS = (
    r"(?:meta-)?llama-?(?:3[.-][1-9]|[4-9])|qwen-?(?:2\.5|[3-9])|qwq|gpt-oss|mi(?:ni)?stral|mixtral|"
    r"devstral|magistral|hermes-?[2-9]|command-(?:a|r)|granite-?[3-9]|deepseek-(?:v3|chat)|glm-?[4-9]|"
    r"kimi-k2|nemotron|phi-?4-mini|firefunction|functiongemma|lfm2|olmo-?3|minimax-m"
)

_BY_PROVIDER: dict[Kind, Capabilities] = {
    "anthropic": _can(200_000, json_schema=False),
    "openai": _can(128_000),
    # A server is asked for a schema only by who says that it can: many take no notice.
    "compatible": replace(_SERVED_HERE, tools=False, json_schema=False),
    "local": replace(_SERVED_HERE, tools=False, is_weak=True),
}


def capabilities_of(spec: ModelSpec) -> Capabilities:
    """What the model of `spec` can do: as its table in `swarm.toml` says, else as is known."""
    known = _known(spec)
    is_weak = known.is_weak or _is_small(spec.model)
    return replace(
        known,
        # Whose judgement is not relied on acts on nothing, whatever a table says.
        tools=not is_weak and (known.tools if spec.tools is None else spec.tools),
        streaming=known.streaming if spec.streaming is None else spec.streaming,
        json_schema=known.json_schema if spec.json_schema is None else spec.json_schema,
        context_tokens=spec.context_tokens or known.context_tokens,
        is_weak=is_weak,
    )


def _known(spec: ModelSpec) -> Capabilities:
    family = _SELLER.sub("", spec.model.lower())
    if spec.provider == "compatible" and re.match(_OPEN_WITH_TOOLS, family):
        return replace(_SERVED_HERE, json_schema=False)
    if spec.provider != "local":
        for pattern, capabilities in _HOSTED:
            if re.match(pattern, family):
                return capabilities
    return _BY_PROVIDER[spec.provider]


def _is_small(model: str) -> bool:
    """Whether the name tells of few parameters: ``qwen2.5:0.5b``, ``SmolLM2-135M``."""
    told = _PARAMETERS.findall(model.lower())
    counts = [float(count) * (1e9 if unit == "b" else 1e6) for count, unit in told]
    return bool(counts) and max(counts) < _WEAK_BELOW
