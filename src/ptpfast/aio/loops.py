"""The running event loop, asyncio's or trio's: wake a task from another thread."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

Soon = Callable[[Callable[[], object]], None]


def soon() -> Soon:
    """Return a function for any thread that has the running loop call something soon.

    It does nothing once the loop has ended.
    """
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_run():
        call: Callable[..., Any] = trio.lowlevel.current_trio_token().run_sync_soon
    else:
        call = asyncio.get_running_loop().call_soon_threadsafe

    def later(what: Callable[[], object]) -> None:
        with suppress(RuntimeError):  # the loop has ended
            call(what)

    return later
