"""What a camera must be told at the end of something, whatever has come between."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

log: logging.Logger = logging.getLogger("ptpfast")


@contextmanager
def leaving(leave: Callable[[], object]) -> Iterator[None]:
    """Call `leave` at the end of a block, also after an error, or if a generator is closed.

    The first error is the one that is raised: after one, an error of `leave` is only logged.
    """
    try:
        yield
    except BaseException:
        try:
            leave()
        except Exception:
            log.debug("the camera was not left in order", exc_info=True)
        raise
    leave()
