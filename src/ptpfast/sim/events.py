"""The events of the camera."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..engine.wire import Event

_NO_TRANSACTION = 0xFFFFFFFF  # transaction id of an event that belongs to none


class Events:
    """Queue of events to `send`: at once, or after the response of their operation."""

    def __init__(self, send: Callable[[Event], None]) -> None:
        self._send = send
        self._held: tuple[int, int, list[Event]] | None = None

    def emit(self, code: int, parameters: tuple[int, ...]) -> None:
        """Report an event; inside `held`, when that is over."""
        held = self._held
        if held is not None and held[0] == threading.get_ident():
            _, transaction_id, events = held
            events.append(Event(code, transaction_id, parameters))
        else:
            self._send(Event(code, _NO_TRANSACTION, parameters))

    @contextmanager
    def held(self, transaction_id: int) -> Iterator[None]:
        """Hold back the events of this thread until the response of the transaction has left."""
        events: list[Event] = []
        self._held = (threading.get_ident(), transaction_id, events)
        try:
            yield
        finally:
            self._held = None
            for event in events:
                self._send(event)
