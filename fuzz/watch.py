"""What goes wrong behind the user's back: in threads, and where an error is only logged."""

from __future__ import annotations

import logging
import threading
import traceback
from typing import Any

from ptpfast import PTPError

from .visit import FindingError


class Watch(logging.Handler):
    """Notes what ends a thread, and exceptions other than PTPError in the log of ptpfast."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.seen: list[str] = []
        logging.getLogger("ptpfast").addHandler(self)
        threading.excepthook = self._ended

    def emit(self, record: logging.LogRecord) -> None:
        """Notes a record's exception."""
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and not isinstance(error, PTPError):
            self._note(record.getMessage(), error)

    def _ended(self, given: Any) -> None:
        self._note(f"thread {given.thread.name if given.thread else '?'}", given.exc_value)

    def _note(self, where: str, error: BaseException) -> None:
        self.seen.append(f"{where}: " + "".join(traceback.format_exception(error)))

    def check(self) -> None:
        """FindingError for what was noted since the last time."""
        seen, self.seen = self.seen, []
        if seen:
            raise FindingError("\n".join(seen))
