"""What an agent counts, in Prometheus' own form; served at `GET /metrics` of its control door."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

LINES_HEARD = Counter("parley_lines_heard", "Channel lines that this agent's socket read")
LINES_STORED = Counter("parley_lines_stored", "Lines that this agent put into the record")
REPLIES = Counter("parley_replies", "Outgoing messages by the state they ended in", ["state"])
REFUSALS = Counter("parley_refusals", "Lines that were looked at and not answered", ["why"])
ERRORS = Counter("parley_errors", "Errors that ended one piece of work, by where", ["where"])
HOOKS = Counter("parley_hooks", "Hooks that came by HTTP, by the status answered", ["status"])
ANSWER_SECONDS = Histogram(
    "parley_answer_seconds",
    "From the line being heard to its answer being proved",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
