"""Structured log lines on stderr, for a run that nobody watches.

A line says an event and its figures: a step began or ended, a rule warns, a run is complete. It never has a value of
the data, such as a customer's id. On a terminal there are progress bars in place of log lines.
"""

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rich.console import Console

LOG_FORMATS = ("keyvalue", "json")
LOGGER = "jobs"
"""The parent of every module logger of the jobs."""


def configure_logs(log_format: str) -> None:
    """Write the events of the jobs to stderr, in place of an earlier configuration; none where it is a terminal."""
    logger = logging.getLogger(LOGGER)
    logger.setLevel(logging.INFO)
    logger.propagate = False  # a platform's root logger may have a handler: each line once
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
    if Console(stderr=True).is_terminal:
        logger.addHandler(logging.NullHandler())
        return
    stream = logging.StreamHandler(sys.stderr)
    stream.setFormatter(JsonFormatter() if log_format == "json" else KeyValueFormatter())
    logger.addHandler(stream)


def log_event(logger: logging.Logger, event: str, *, level: int = logging.INFO, **figures: Any) -> None:
    """Log an event with its figures; a figure that is None does not appear."""
    logger.log(level, event, extra={"figures": {name: value for name, value in figures.items() if value is not None}})


class KeyValueFormatter(logging.Formatter):
    """``time=... level=... event=... run_id=...``; text with blanks, quotes or an equals sign is quoted as in JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        return " ".join(f"{name}={_quoted_if_needed(value)}" for name, value in fields_of(record).items())


class JsonFormatter(logging.Formatter):
    """One JSON object a line, for log systems that parse it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        return json.dumps(fields_of(record), default=str)


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """The fields of a line, in their order."""
    moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    figures: Mapping[str, Any] = getattr(record, "figures", {})
    return {"time": moment, "level": record.levelname, "event": record.getMessage(), **figures}


def _quoted_if_needed(value: Any) -> str:
    text = str(value)
    is_plain = text and text.isprintable() and not any(character in ' "=' for character in text)
    return text if is_plain else json.dumps(text)
