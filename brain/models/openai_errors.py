"""What OpenAI, and the servers that speak like it, say when they cannot; in this package's errors.

Sources: the error codes in OpenAI's documentation; issues and sources of vLLM, llama.cpp and Ollama
for their wordings.
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass

from openai import APIConnectionError, APIError, APIStatusError, APITimeoutError, OpenAIError

from brain.errors import (
    BadAnswer,
    ContextOverflow,
    CutShort,
    LoginRefused,
    ModelFailed,
    NoSuchModel,
    Overloaded,
    Passing,
    RateLimited,
    RequestRefused,
    Unreachable,
)
from brain.model import Usage
from brain.models.provider import Key, ModelSpec
from brain.models.quoting import quoted
from brain.models.retry_after import retry_after_s

_STATUS_IN_WORDS = re.compile(r"^Error code: \d+(?: - )?")
_TOO_LONG = "context_length_exceeded"
_TOO_LONG_WORDS = re.compile(
    r"context[ _](?:length|window|size)|maximum model length|prompt (?:is )?too long|"
    r"input is too large to process|request too large",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Rule:
    kind: type[ModelFailed]
    sentence: str
    codes: frozenset[str]
    statuses: Container[int] = ()


#: the first that fits counts; codes and types say more than a status
_RULES = (
    _Rule(
        ContextOverflow,
        "the conversation is longer than {name} can read",
        frozenset({_TOO_LONG, "exceed_context_size_error"}),
    ),
    _Rule(
        LoginRefused,
        "the account behind {key} has no credit left for {name}",
        frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"}),
        {402},
    ),
    _Rule(
        LoginRefused,
        "{name} refuses {key}: it is missing, wrong, expired or may not do this",
        frozenset({"invalid_api_key", "authentication_error", "permission_error"}),
        {401, 403},
    ),
    _Rule(
        NoSuchModel,
        "the provider of {name} knows no model {model!r}{where}",
        frozenset({"model_not_found", "not_found_error"}),
        {404},
    ),
    _Rule(
        RateLimited,
        "{name} has been asked too often for now",
        frozenset({"rate_limit_exceeded", "rate_limit_error", "tokens", "requests"}),
        {429},
    ),
    _Rule(
        Overloaded,
        "{name} cannot answer at the moment",
        frozenset({"server_error", "server_is_overloaded", "slow_down", "overloaded_error"}),
        {409, *range(500, 600)},
    ),
    _Rule(Unreachable, "{name} gave no answer in time", frozenset(), {408}),
)


@dataclass(frozen=True, kw_only=True)
class Complaint:
    """What a server said; all of it may be missing."""

    #: HTTP status; None where it came in the middle of a stream
    status: int | None = None
    code: str = ""
    kind: str = ""
    words: str = ""
    retry_after_s: float | None = None

    @property
    def codes(self) -> set[str]:
        """What it is called; vLLM, llama.cpp and Ollama have only words for a long conversation."""
        too_long = {_TOO_LONG} if _TOO_LONG_WORDS.search(self.words) else set()
        return {self.code.lower(), self.kind.lower()} | too_long


def failure(
    error: OpenAIError, spec: ModelSpec, key: Key | None, *, has_begun: bool
) -> ModelFailed:
    """The error of this package that says the same; `has_begun`: its answer was on its way."""
    if isinstance(error, APIConnectionError):
        return _unconnected(error, spec, has_begun=has_begun)
    if isinstance(error, APIError) and error.body is not None:
        return judged(_complaint(error), spec, key)
    return bad_answer(spec)


def judged(complaint: Complaint, spec: ModelSpec, key: Key | None) -> ModelFailed:
    """What a server's words mean. Unknown ones are passing amid a stream, else final."""
    codes, status = complaint.codes, complaint.status
    said = quoted(_STATUS_IN_WORDS.sub("", complaint.words), key) or f"status {status}"
    rule = next((r for r in _RULES if r.codes & codes), None)
    rule = rule or next((r for r in _RULES if status in r.statuses), None)
    if rule is None and status is None:
        return CutShort(f"{spec.name} broke off its answer: {said}")
    if rule is None:
        return RequestRefused(f"{spec.name} refuses the request: {said}")
    named = f"the key {key.name}" if key else "a request without a key"
    where = ", or 'base_url' is wrong" if spec.base_url else ""
    sentence = rule.sentence.format(name=spec.name, model=spec.model, key=named, where=where)
    if issubclass(rule.kind, Passing):
        return rule.kind(sentence, retry_after_s=complaint.retry_after_s)
    return rule.kind(sentence)


def bad_answer(spec: ModelSpec) -> BadAnswer:
    return BadAnswer(f"{spec.name} answered with something that cannot be read")


def empty_answer(spec: ModelSpec, used: Usage) -> BadAnswer:
    """No text and no call; the provider counts it all the same."""
    failed = BadAnswer(f"{spec.name} answered with nothing")
    failed.usage = used
    return failed


def silent(spec: ModelSpec, *, has_begun: bool) -> CutShort | Unreachable:
    if has_begun:
        return CutShort(f"{spec.name} fell silent for {spec.timeout_s:g} s amid its answer")
    return Unreachable(f"{spec.name} gave no answer within {spec.timeout_s:g} s")


def _unconnected(
    error: APIConnectionError, spec: ModelSpec, *, has_begun: bool
) -> CutShort | Unreachable:
    if isinstance(error, APITimeoutError):
        return silent(spec, has_begun=has_begun)
    if has_begun:
        return cut_short(spec)
    return Unreachable(f"{spec.name} cannot be reached, or hung up before it answered")


def cut_short(spec: ModelSpec) -> CutShort:
    return CutShort(f"{spec.name} was cut off amid its answer")


def _complaint(error: APIError) -> Complaint:
    """Servers differ: a number as code is a status; the body may be no more than words."""
    code = error.code or ""
    status = error.status_code if isinstance(error, APIStatusError) else None
    headers = error.response.headers if isinstance(error, APIStatusError) else {}
    if status is None and code.isdecimal():
        status = int(code)
    return Complaint(
        status=status,
        code=code,
        kind=str(error.type or ""),
        words=error.body if isinstance(error.body, str) else error.message,
        retry_after_s=retry_after_s(headers),
    )
