"""What a provider of language models is, and how one is described in `swarm.toml`.

Around a provider, from the inside out: `metered` (a key, a reservation, the bill), `retrying`,
`breaking` (leave alone what is down), `chain` (the next model when one fails). Each is a `Model`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal, Protocol

from brain.model import Capabilities, Completion, Conversation, Reader

Kind = Literal["anthropic", "openai", "compatible", "local"]
#: who says that one answer took more is not believed: no ledger could book it
MOST_TOKENS: Final = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class Key:
    """An API key; `name` is its reference, such as ``env:ANTHROPIC_API_KEY``, and may be shown."""

    name: str
    value: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Price:
    """US dollars for a million tokens of each kind."""

    input: Decimal
    output: Decimal
    #: None: as input
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """One ``[models.NAME]`` table, its keys resolved."""

    name: str
    provider: Kind
    #: the provider's name for it
    model: str
    keys: tuple[Key, ...] = ()
    #: empty: the provider's own
    base_url: str = ""
    max_output_tokens: int = 1024
    #: the longest silence, before an answer and within it
    timeout_s: float = 20.0
    #: requests that one key may make in a minute; None: as many as the provider takes
    requests_per_minute: int | None = None
    #: None: as `genai-prices` knows it
    price: Price | None = None
    #: None: as `brain.models.capabilities` knows it
    context_tokens: int | None = None
    tools: bool | None = None
    streaming: bool | None = None
    json_schema: bool | None = None


class Provider(Protocol):
    """One model at one provider. Makes one request a call: nothing here tries again."""

    @property
    def capabilities(self) -> Capabilities: ...

    async def complete(
        self, conversation: Conversation, key: Key | None, reader: Reader | None = None
    ) -> Completion:
        """One request; raises `ModelFailed`. Cancelling it closes the socket at once."""

    async def close(self) -> None: ...
