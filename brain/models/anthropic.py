"""Anthropic's models, through the vendor's own client and its Messages API."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import anthropic
import httpx2
from anthropic.types import Message
from anthropic.types.message_create_params import MessageCreateParamsBase

from brain.errors import NoUsableKey
from brain.model import Capabilities, Completion, Conversation, Reader
from brain.models.anthropic_draft import Draft
from brain.models.anthropic_failure import Plight
from brain.models.anthropic_request import request_of
from brain.models.capabilities import capabilities_of
from brain.models.departure import departing, watch
from brain.models.provider import Key, ModelSpec, Provider
from brain.models.quoting import can_be_sent

_HOME = "https://api.anthropic.com"
_LONGEST_CONNECTING_S = 10.0


def connect(spec: ModelSpec) -> Provider:
    """A provider for `spec`; opens no connection before it is asked."""
    return AnthropicProvider(spec)


class AnthropicProvider:
    """One client per key, all on one pool of connections. Belongs to one event loop."""

    def __init__(self, spec: ModelSpec) -> None:
        self._spec = spec
        self._url = spec.base_url or _HOME
        self._capabilities = capabilities_of(spec)
        connecting_s = min(spec.timeout_s, _LONGEST_CONNECTING_S)
        self._http = anthropic.DefaultAsyncHttpxClient(
            timeout=httpx2.Timeout(spec.timeout_s, connect=connecting_s),
            # An API that moved is a mistake in `base_url`; keys and talk follow nobody elsewhere.
            follow_redirects=False,
            event_hooks={"request": [watch]},
        )
        self._clients: dict[str, anthropic.AsyncAnthropic] = {}

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    async def close(self) -> None:
        await self._http.aclose()

    async def complete(
        self, conversation: Conversation, key: Key | None, reader: Reader | None = None
    ) -> Completion:
        """See `Provider.complete`. `timeout_s` is the longest silence, at the beginning or
        between two events.
        """
        key = self._usable(key)
        request = request_of(conversation, self._spec, self._capabilities)
        draft = Draft(self._provider, reader)
        try:
            with departing() as departure:
                await self._fill(draft, self._client(key), request)
        except (anthropic.AnthropicError, httpx2.HTTPError, TimeoutError, ValueError) as error:
            plight = Plight(
                spec=self._spec,
                key=key,
                provider=self._provider,
                begun=draft.has_begun,
                unheard=departure.has_left and not self._capabilities.streaming,
            )
            failure = plight.failure(error)
        else:
            return draft.completion()
        # Raised out here, so that the SDK's error, which holds the request's headers and with
        # them the key, does not hang on it.
        raise failure

    async def _fill(
        self, draft: Draft, client: anthropic.AsyncAnthropic, request: MessageCreateParamsBase
    ) -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(self._spec.timeout_s) as silence:
            if not self._capabilities.streaming:
                message: Message = await client.messages.create(**request, stream=False)
                draft.take_whole(message)
                return
            stream = await client.messages.create(**request, stream=True)
            async with stream:
                # The SDK keeps pings to itself: a stream of nothing else counts as silence.
                async for event in stream:
                    silence.reschedule(loop.time() + self._spec.timeout_s)
                    draft.take(event)

    def _client(self, key: Key) -> anthropic.AsyncAnthropic:
        client = self._clients.get(key.name)
        if client is None or client.api_key != key.value:
            # Everything is said: what is not, the SDK would look for in the environment.
            client = anthropic.AsyncAnthropic(
                api_key=key.value,
                base_url=self._url,
                max_retries=0,
                timeout=self._http.timeout,
                http_client=self._http,
                open_telemetry=False,
            )
            self._clients[key.name] = client
        return client

    def _usable(self, key: Key | None) -> Key:
        if key is None or not key.value:
            named = f" {key.name}" if key else ""
            raise NoUsableKey(
                f"the key{named} for {self._provider} is missing; name one under 'keys' of "
                f"[models.{self._spec.name}]"
            )
        if not can_be_sent(key):
            raise NoUsableKey(
                f"the key {key.name} has characters that no key has, perhaps a line break"
            )
        return key

    @property
    def _provider(self) -> str:
        if not self._spec.base_url:
            return "Anthropic"
        # Without what may stand before the host: a name and a password.
        return f"Anthropic at {urlsplit(self._spec.base_url).netloc.rpartition('@')[2]}"
