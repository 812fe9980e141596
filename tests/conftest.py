"""For all tests: faults are logged in short, for a traceback with every local drawn in a frame
takes seconds of a small machine's time.
"""

from __future__ import annotations

import structlog

structlog.configure(
    processors=[
        structlog.processors.TimeStamper("%H:%M:%S"),
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        ),
    ]
)
