"""The log: one structured line per event on stderr, without addresses or secrets.

All code logs through the standard library's `logging`, as vendors do, and names the event in
`extra={"action": "batch.accepted", "batch": 7}`. The format is chosen here: text for a person at a
terminal, JSON for a machine.
"""

import logging
import sys
from collections.abc import Iterable, Mapping
from typing import Any, TextIO, cast

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from newsletter.adapters.redaction import Redact, redactor

#: Vendors that log every step at INFO, or secrets at DEBUG.
_VERBOSE = (
    "alembic", "apscheduler", "httpcore", "httpx", "procrastinate",
    "python_http_client", "requests", "sqlalchemy", "urllib3", "uvicorn", "uvicorn.error",
    "uvicorn.access",
)  # fmt: skip


def configure_logging(*, secrets: Iterable[str] = (), stream: TextIO | None = None) -> None:
    """Send every logger's lines to this stream, stderr by default, in place of earlier handlers.

    `secrets` are redacted wherever they appear, besides whatever looks like one.
    """
    out = stream or sys.stderr
    handler = logging.StreamHandler(out)
    handler.setFormatter(_formatter(redactor(secrets), for_a_person=out.isatty()))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for name in _VERBOSE:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True  # a vendor's own handler would not redact
        logger.setLevel(max(logger.level, logging.WARNING))


def _formatter(redact: Redact, *, for_a_person: bool) -> logging.Formatter:
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if for_a_person
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.ExtraAdder()],
        processors=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _redacting(redact),  # last: nothing is added to the line after it
            renderer,
        ],
    )


def _redacting(redact: Redact) -> Processor:
    def process(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {redact(str(key)): _redacted(value, redact) for key, value in event.items()}

    return process


def _redacted(value: Any, redact: Redact) -> Any:
    """Return numbers as they are and everything else as redacted text, also within containers."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        pairs = cast("Mapping[Any, Any]", value).items()
        return {redact(str(key)): _redacted(one, redact) for key, one in pairs}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted(one, redact) for one in cast("Iterable[Any]", value)]
    return redact(str(value))
