"""How long a provider asks to be left alone, from the headers of its answer. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

#: some servers send the moment, in seconds or milliseconds, where the standard has a duration
_LONGEST_S: Final = 86_400.0


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds, a day at most; None where nothing readable is asked. `headers` do not mind upper or
    lower case.

    Source: RFC 9110 section 10.2.3; ``retry-after-ms`` is OpenAI's own and finer. A date counts
    from the answer's own ``Date``, so that nobody's clock has to be right.
    """
    asked_s = _asked_s(headers)
    return None if asked_s is None else min(asked_s, _LONGEST_S)


def _asked_s(headers: Mapping[str, str]) -> float | None:
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    asked = headers.get("retry-after")
    seconds = _number(asked)
    if seconds is not None:
        return seconds
    then, now = _moment(asked), _moment(headers.get("date"))
    return max(0.0, (then - now).total_seconds()) if then and now else None


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _moment(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text or "")
    except (ValueError, OverflowError):
        return None
    # A date in no time zone (-0000) cannot be compared with one that has its own.
    return moment if moment.tzinfo else None
