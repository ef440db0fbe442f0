"""The events of a session, for a task: no thread waits for them."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Self

import anyio
import anyio.lowlevel

from ..ptp.errors import SessionNotOpen
from .loops import soon
from .worker import Worker

if TYPE_CHECKING:
    from ..link.events import Event, Subscription
    from ..session.session import Session


class Events(AsyncIterator["Event"]):
    """An async iterator over the camera's events. Other tasks may use the session meanwhile."""

    def __init__(self, worker: Worker, session: Session, timeout: float | None) -> None:
        self._worker = worker
        self._link = session.link
        self._queue: Subscription = session._events
        self._timeout = math.inf if timeout is None else timeout
        self._is_over = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        give_up = anyio.current_time() + self._timeout
        while not self._is_over:
            await anyio.lowlevel.checkpoint()
            if (event := self._queue.get(0)) is not None:
                return event
            if not await self._look():
                await self._wait(give_up)
                self._is_over |= anyio.current_time() >= give_up and self._queue.is_empty
        raise StopAsyncIteration

    async def _look(self) -> bool:
        """Poll, if the camera reports its events only then; return whether any have come."""
        if not self._link.usable:
            self._is_over = True
        elif not self._link.dialect.polls:
            self._is_over = self._link.hub.closed and self._queue.is_empty
        elif self._worker.is_idle:  # else the operation polls
            try:
                return bool(await self._worker.do(self._link.poll))
            except SessionNotOpen:
                self._is_over = True
        return self._is_over

    async def _wait(self, give_up: float) -> None:
        """Wait for an event, for the end of the session, or for the next poll."""
        changed = anyio.Event()
        until = give_up
        if self._link.dialect.polls:
            until = min(until, anyio.current_time() + self._link.dialect.quirks.event_poll_s)
        later = soon()
        with self._link.hub.listening(lambda: later(changed.set)):
            is_over = self._link.hub.closed and not self._link.dialect.polls
            if self._queue.is_empty and not is_over:
                with anyio.CancelScope(deadline=until):
                    await changed.wait()

    async def aclose(self) -> None:
        """End the iteration."""
        self._is_over = True
