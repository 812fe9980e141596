"""Faults in short: a traceback with every local drawn in a frame takes seconds of a small machine's
time, and tests have many faults on purpose.
"""

from __future__ import annotations

import structlog


def log_in_short() -> None:
    """From now on, in this process; tests that set up logging come back to it."""
    structlog.configure(
        processors=[
            structlog.processors.TimeStamper("%H:%M:%S"),
            structlog.processors.add_log_level,
            structlog.dev.ConsoleRenderer(
                colors=False, exception_formatter=structlog.dev.plain_traceback
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(0),
        context_class=dict,
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=False,
    )
