"""The interface of a transport of the simulated camera.

`transactions.py` uses a transport through these methods alone. A door for another transport has
them too, in a module beside `ptpip_door.py`.
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
    """The transport of one camera.

    All methods but `send_event` run in the thread of a connection. They raise PeerLeftError or
    another OSError when the connection has ended.
    """

    def admit(self, sock: socket.socket, serve: Callable[[Peer], None]) -> None:
        """Do the handshake of an accepted connection. Call `serve` with the pair of connections,
        in one of its threads. Return when the connection can be closed."""
        ...

    def requests(self, peer: Peer, idle_s: float) -> Iterator[OperationRequest]:
        """Yield requests until the stream ends, or until none has come for `idle_s` seconds."""
        ...

    def early_requests(self, peer: Peer, within_s: float) -> list[OperationRequest]:
        """Return the requests that are already there, or arrive within so many seconds."""
        ...

    def is_awake(self, peer: Peer) -> bool:
        """Return whether the client has sent the probe, or made the pause, that bodies need."""
        ...

    def receive_data(self, peer: Peer) -> bytes | None:
        """Return the payload of a data-out phase; None when the Initiator cancels it."""
        ...

    def plan_data(self, request: OperationRequest, size: int) -> DataPlan:
        """Return the plan of a data phase of `size` payload bytes, for faults to change."""
        ...

    def send_data(self, peer: Peer, plan: DataPlan, content: Content, offset: int) -> None:
        """Send a data phase, whose payload begins at `offset` of `content`. Set `plan.code` and
        `plan.sent`, also when it fails."""
        ...

    def respond(self, peer: Peer, response: OperationResponse) -> None:
        """Send a response, and the rest of its data phase."""
        ...

    def send_event(self, event: Event) -> None:
        """Send an event to the Initiator, if one is connected."""
        ...
