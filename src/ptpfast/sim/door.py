"""What a transport is to the simulated camera: how Initiators get in, and how operations travel.

A door for another transport stands beside `ptpip_door.py` and does these. `transactions.py` talks
to it through them alone.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Protocol

from ..engine.wire import Event, OperationRequest, OperationResponse
from .content import Content
from .effects.data import DataPlan
from .peer import Peer


class Door(Protocol):
    """The transport's side of one camera. All but `send_event` are called in the thread of the
    connection; PeerLeftError or another OSError when that is over."""

    def admit(self, sock: socket.socket, serve: Callable[[Peer], None]) -> None:
        """Do the handshake of an accepted connection, and `serve` the pair that it completes.

        Returns when the connection may be closed.
        """
        ...

    def requests(self, peer: Peer, idle_s: float) -> Iterator[OperationRequest]:
        """One request after the other, until the stream ends or none comes for `idle_s`."""
        ...

    def early_requests(self, peer: Peer, within_s: float) -> list[OperationRequest]:
        """The requests that are there before the last one has been answered."""
        ...

    def is_awake(self, peer: Peer) -> bool:
        """Whether a body that needs a probe, or a pause, has had it."""
        ...

    def receive_data(self, peer: Peer) -> bytes | None:
        """The payload of a request's data-out phase; None when it was cancelled."""
        ...

    def plan_data(self, request: OperationRequest, size: int) -> DataPlan:
        """What a data phase of `size` payload bytes looks like; faults change it."""
        ...

    def send_data(self, peer: Peer, plan: DataPlan, content: Content, offset: int) -> None:
        """Send a data phase whose payload begins at `offset`. `plan.code` and `plan.sent` are
        right afterwards, also when it has failed."""
        ...

    def respond(self, peer: Peer, response: OperationResponse) -> None:
        """Send the response, with all of the data phase that is still to be sent."""
        ...

    def send_event(self, event: Event) -> None:
        """Report an event to the Initiator that is connected, if one is."""
        ...
