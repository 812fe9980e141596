"""Logs: one JSON object a line, one rotating file a process, no secret in it."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Mapping
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from bots.secrets import Redactor
from bots.state import FILE_MODE

#: libraries that tell every packet at level INFO
TALKATIVE = ("irc", "nats", "aiohttp.access", "asyncio", "httpx2", "anthropic", "openai", "mcp")


def configure(path: Path, *, bytes: int, files: int, redactor: Redactor) -> None:  # noqa: A002
    """Send everything this process logs, from structlog and from logging, to `path`.

    A full file is renamed ``.1`` and so on: at most `files` old ones of `bytes` each are kept.
    What cannot be written (a full disk) is dropped and counted in the next line that can be.
    Call it after the fork; calling it again replaces what was configured.
    """
    handler = _RotatingFile(path, max_bytes=bytes, files=files)
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.StackInfoRenderer(),
                structlog.processors.format_exc_info,
                Hide(redactor),
                handler.add_lost,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    for old in list(root.handlers):
        if isinstance(old, _RotatingFile):
            root.removeHandler(old)
            old.close()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


class Hide:
    """A structlog processor that hides secrets in keys and values, however deep."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def __call__(self, logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
        return {self._redactor.redact(str(key)): self._hide(value) for key, value in event.items()}

    def _hide(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, Mapping):
            return {self._redactor.redact(str(k)): self._hide(v) for k, v in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._hide(v) for v in value]
        return self._redactor.redact(value if isinstance(value, str) else repr(value))


class _RotatingFile(RotatingFileHandler):
    """The standard handler, private to its owner, that a full disk does not trip."""

    def __init__(self, path: Path, *, max_bytes: int, files: int) -> None:
        self.lost = 0
        #: the record that is being written, and its line
        self._line: tuple[logging.LogRecord, str] | None = None
        super().__init__(path, maxBytes=max_bytes, backupCount=files, encoding="utf-8", delay=True)

    def _open(self) -> io.TextIOWrapper[Any]:
        def private(name: str, flags: int) -> int:
            return os.open(name, flags, FILE_MODE)

        # Unbuffered: what a full disk refused must not come back later between other lines.
        raw = io.FileIO(self.baseFilename, "a", opener=private)
        return io.TextIOWrapper(raw, encoding="utf-8", write_through=True)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        # The standard one prints the record, unredacted, on standard error.
        self.lost += 1

    def add_lost(self, logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
        """Say in a line how many were dropped before it."""
        return {**event, "lost_lines": self.lost} if self.lost else event

    def format(self, record: logging.LogRecord) -> str:
        """Once a record: the standard handler makes the line a first time to measure it."""
        if self._line is None or self._line[0] is not record:
            self._line = record, super().format(record)
        return self._line[1]

    def emit(self, record: logging.LogRecord) -> None:
        before = self.lost
        try:
            super().emit(record)
        finally:
            self._line = None
        if self.lost == before:
            self.lost = 0
