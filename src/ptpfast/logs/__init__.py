"""Events of the log: names and fields that do not change, for programs that read the log.

`table` lists the events, `tell` logs one. Nothing is printed unless the program that uses ptpfast
configures logging.
"""

from __future__ import annotations

import logging

from ..engine.text import printable
from .table import DETAIL, EVENTS, FIELDS, ROOT, LogEvent

__all__ = ["DETAIL", "EVENTS", "FIELDS", "ROOT", "LogEvent", "tell"]

_LOGGERS = {name: logging.getLogger(row.logger) for name, row in EVENTS.items()}


def tell(event: str, **fields: object) -> None:
    """Log an event of the table, with its fields as attributes of the record.

    Args:
        event: its name.
        fields: exactly the fields that the table lists for it. Numbers stay numbers. All else is
            text, which is made printable, because most of it comes from a camera.
    """
    log, row = _LOGGERS[event], EVENTS[event]
    if not log.isEnabledFor(row.level):
        return
    shown = {
        name: value if isinstance(value, int | float) else printable(str(value))
        for name, value in fields.items()
    }
    log.log(row.level, row.text, shown, extra={"event": event, **shown}, stacklevel=2)


class _Named(logging.Filter):
    """Give every other record of the package's logger a name, so that formats may use it."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not hasattr(record, "event"):
            record.event = DETAIL
        return True


def _prepare(log: logging.Logger) -> None:
    # Without a handler Python prints warnings to standard error.
    log.addHandler(logging.NullHandler())
    log.addFilter(_Named())


_prepare(logging.getLogger(ROOT))
