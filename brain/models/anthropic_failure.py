"""What went wrong with a request to Anthropic, in sentences for people. Never with a key in them.

Source of the error types: platform.claude.com/docs "Errors".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import anthropic
import httpx2

from brain.errors import (
    BadAnswer,
    ContextOverflow,
    CutShort,
    LoginRefused,
    ModelFailed,
    NoSuchModel,
    Overloaded,
    RateLimited,
    RequestRefused,
    Unreachable,
)
from brain.models.provider import Key, ModelSpec
from brain.models.quoting import quoted
from brain.models.retry_after import retry_after_s

_TOO_LONG = re.compile(r"prompt is too long|exceeds? (the )?context (limit|window)", re.IGNORECASE)
_NO_CREDIT = re.compile(r"credit balance", re.IGNORECASE)
#: error types by their status, for errors that come in the middle of a stream
_STATUS_OF = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}


@dataclass(frozen=True, kw_only=True)
class Plight:
    """Which request failed."""

    spec: ModelSpec
    key: Key
    #: who was asked, as people know it
    provider: str
    #: the model had begun to answer: it had read the conversation, and may bill it
    begun: bool
    #: the request had left, and nothing would have been heard before its answer was whole
    unheard: bool = False

    def failure(self, error: Exception) -> ModelFailed:
        """What `error`, of the SDK or beneath it, means."""
        failure = self._failure(error)
        was_told = isinstance(error, anthropic.APIStatusError)
        if self.begun or (self.unheard and not was_told):
            failure.maybe_billed = True
        return failure

    def _failure(self, error: Exception) -> ModelFailed:
        match error:
            case anthropic.APIStatusError():
                return self._refusal(error)
            case TimeoutError() | anthropic.APITimeoutError() | httpx2.TimeoutException():
                return self._silence()
            case anthropic.APIConnectionError():
                return Unreachable(f"{self.provider} cannot be reached; is 'base_url' right?")
            case httpx2.HTTPError() if self.begun:
                return CutShort(f"{self.provider} ended the connection in the middle of the answer")
            case httpx2.HTTPError():
                return Unreachable(f"{self.provider} ended the connection before it answered")
            case _:
                return BadAnswer(f"{self.provider} answered with something that is no message")

    def _silence(self) -> ModelFailed:
        waited = f"for {self.spec.timeout_s:g} s"
        if self.begun:
            return CutShort(f"{self.provider} fell silent {waited} in the middle of the answer")
        return Unreachable(f"{self.provider} did not answer {waited}")

    def _refusal(self, error: anthropic.APIStatusError) -> ModelFailed:
        status = error.status_code
        if status == 200:
            status = _STATUS_OF.get(str(error.type), 500)
        said = self._quoted(error.api_message)
        wait_s = retry_after_s(error.response.headers)
        if status in {401, 402, 403} or _NO_CREDIT.search(said):
            return self._login(status, said)
        if status == 404:
            return self._unknown(error)
        if status == 429:
            sentence = (
                f"{self.provider} takes no more requests with the key {self.key.name} for now"
            )
            return RateLimited(sentence, retry_after_s=wait_s)
        if status in {408, 409} or status >= 500:
            sentence = f"{self.provider} cannot answer at the moment ({status}{said})"
            return Overloaded(sentence, retry_after_s=wait_s)
        if _TOO_LONG.search(said):
            return ContextOverflow(
                f"the conversation is longer than {self.spec.model} can read{said}"
            )
        return RequestRefused(f"{self.provider} refused the request ({status}{said})")

    def _login(self, status: int, said: str) -> LoginRefused:
        if status == 401:
            return LoginRefused(
                f"{self.provider} refused the key {self.key.name}{said}; put a valid key there"
            )
        return LoginRefused(
            f"{self.provider} does not let the key {self.key.name} use {self.spec.model}{said}"
        )

    def _unknown(self, error: anthropic.APIStatusError) -> NoSuchModel:
        where = f"[models.{self.spec.name}]"
        if error.type != "not_found_error":
            return NoSuchModel(
                f"{self.provider} serves no messages; is 'base_url' of {where} right?"
            )
        return NoSuchModel(
            f"{self.provider} has no model '{self.spec.model}'; correct 'model' of {where}"
        )

    def _quoted(self, message: str | None) -> str:
        """The provider's own words, on one line, to follow ours; they come from outside."""
        words = quoted(str(message or ""), self.key)
        return f": {words}" if words else ""
