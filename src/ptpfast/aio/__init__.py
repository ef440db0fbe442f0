"""ptpfast for tasks of asyncio and trio. Needs anyio: `pip install 'ptpfast[aio]'`.

Each session has a thread that runs the compiled engine, which releases the GIL. `worker` is that
thread, `session` its methods, `iterators` and `events` what they yield, `pulling` the whole cards,
`watching` the new shots.
"""

from __future__ import annotations

try:
    import anyio as _anyio  # noqa: F401
except ModuleNotFoundError as _error:
    raise ImportError("ptpfast.aio needs anyio: run `pip install 'ptpfast[aio]'`") from _error
from .connecting import Connecting, connect
from .events import Events
from .iterators import Items, Listing, ObjectFile
from .pulling import PullIterator, pull, pull_iter
from .session import Session
from .watching import watch

__all__ = [
    "Connecting",
    "Events",
    "Items",
    "Listing",
    "ObjectFile",
    "PullIterator",
    "Session",
    "connect",
    "pull",
    "pull_iter",
    "watch",
]
