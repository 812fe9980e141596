"""Why a hook is not taken: a status, a word for programs, a sentence for people."""

from __future__ import annotations

from typing import Final

#: word → status
STATUSES: Final = {
    "bad_json": 400,
    "bad_envelope": 400,
    "bad_field": 400,
    "unknown_field": 400,
    "unsupported": 400,
    "not_given": 400,
    "unauthorized": 401,
    "forged": 401,
    "stale": 401,
    "bad_key": 401,
    "retargeted": 403,
    "not_allowed": 403,
    "unknown_agent": 404,
    "unknown_task": 404,
    "unknown_subscription": 404,
    "unknown_zone": 404,
    "slow": 408,
    "replayed": 409,
    "reused": 409,
    "full": 409,
    "too_large": 413,
    "too_many": 429,
    "killed": 503,
    "unavailable": 503,
}


class Refused(Exception):
    """It is answered with `status` and ``{"error": sentence, "code": code}``."""

    def __init__(
        self,
        code: str,
        sentence: str,
        *,
        retry_after_s: float | None = None,
        audited: bool = True,
    ) -> None:
        super().__init__(sentence)
        self.code = code
        self.status = STATUSES[code]
        self.retry_after_s = retry_after_s
        #: a flood of refusals is counted, not written down one by one
        self.audited = audited
