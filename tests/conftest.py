"""What holds for all tests."""

from __future__ import annotations

from tests.short_logs import log_in_short

log_in_short()
