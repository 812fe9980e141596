"""OpenAI's SDK as one model uses it: one client for all its keys, failures as `ModelFailed`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from openai import APIStatusError, AsyncOpenAI, DefaultAsyncHttpxClient, OpenAIError, Timeout

from brain.errors import ModelFailed, NoUsableKey, RequestRefused
from brain.models.capabilities import capabilities_of
from brain.models.departure import departing, watch
from brain.models.openai_errors import bad_answer, failure, silent
from brain.models.provider import Key, ModelSpec
from brain.models.quoting import can_be_sent

OPENAI_URL = "https://api.openai.com/v1"
#: what servers get that want no key, for the SDK insists on one
NO_KEY = "none"
#: a server that does not even take the connection is not waited for any longer
_CONNECT_S = 10.0

_T = TypeVar("_T")


class Call:
    """One request under way."""

    def __init__(self, key: Key | None, silence: asyncio.Timeout, timeout_s: float) -> None:
        self.headers = {"Authorization": f"Bearer {key.value if key else NO_KEY}"}
        #: its answer is on its way: that is how its failure is to be understood
        self.has_begun = False
        self._silence = silence
        self._timeout_s = timeout_s

    def heard(self) -> None:
        """A piece of the answer came. What only keeps a connection alive is silence too."""
        self.has_begun = True
        self._silence.reschedule(asyncio.get_running_loop().time() + self._timeout_s)


class Client:
    """The SDK reads the environment where it is told nothing; so it is told everything."""

    def __init__(self, spec: ModelSpec) -> None:
        self._spec = spec
        self._streams = capabilities_of(spec).streaming
        base_url = spec.base_url or OPENAI_URL
        timeout = Timeout(spec.timeout_s, connect=min(spec.timeout_s, _CONNECT_S))
        self.sdk = AsyncOpenAI(
            api_key=NO_KEY,
            admin_api_key="",
            webhook_secret="",
            base_url=base_url,
            timeout=timeout,
            max_retries=0,
            http_client=DefaultAsyncHttpxClient(
                timeout=timeout,
                # A conversation goes where it was sent, not where an answer points to.
                follow_redirects=False,
                # Certificates cost 20 ms and 1 MiB, and plain HTTP has no use for them.
                verify=not base_url.startswith("http://"),
                event_hooks={"request": [watch]},
            ),
        )
        self.sdk.organization = None
        self.sdk.project = None

    async def ask(self, key: Key | None, request: Callable[[Call], Awaitable[_T]]) -> _T:
        """What `request` returns; raises `ModelFailed` and nothing of the SDK's."""
        if key and not can_be_sent(key):
            raise NoUsableKey(f"the key {key.name} is empty, or has characters that no key has")
        timeout_s = self._spec.timeout_s
        silence = asyncio.timeout(timeout_s)
        call = Call(key, silence, timeout_s)
        was_told = False
        try:
            with departing() as departure:
                async with silence:
                    return await request(call)
        except ModelFailed as error:
            failed, was_told = error, True
        except TimeoutError:
            failed = silent(self._spec, has_begun=call.has_begun)
        except OpenAIError as error:
            failed = failure(error, self._spec, key, has_begun=call.has_begun)
            was_told = isinstance(error, APIStatusError)
        except UnicodeEncodeError:
            failed = RequestRefused("the conversation has characters that cannot be sent")
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            # The SDK checks no types: an answer of another form shows where it is read.
            failed = bad_answer(self._spec)
        # Who is hung up on before a stream has begun makes no answer. Who answers in one piece has
        # perhaps made all of it by then, unless he says what was wrong.
        is_unheard = departure.has_left and not (was_told or self._streams)
        if call.has_begun or is_unheard:
            failed.maybe_billed = True
        # Out here, for the SDK's errors hold the request, and that the key: it must not hang on.
        raise failed

    async def close(self) -> None:
        await self.sdk.close()
