"""The server of a page on a thread of its own, from the beginning of a `with` to its end."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import Self


class Serving(ABC):
    """A served page; use it in a `with`. Subclasses say how the server ends."""

    def __init__(self, serve: Callable[..., object], name: str, **given: object) -> None:
        """serve: serves with these arguments until `_stop`. name: of its thread."""
        # A daemon: Ctrl-C between its start and the `with` would leave it, and hold up the exit.
        self._thread = threading.Thread(target=serve, kwargs=given, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._end()
        except BaseException:  # Ctrl-C again
            self._end()
            raise

    def _end(self) -> None:
        self._stop()
        self._thread.join()
        self._close()

    @abstractmethod
    def _stop(self) -> None:
        """Have the server end, and the answers that are under way."""

    @abstractmethod
    def _close(self) -> None:
        """Close the socket; the server has ended."""
