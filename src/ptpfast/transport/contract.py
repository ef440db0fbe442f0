"""What a transport says: how a connection is opened, and how one transaction travels on it.

`Connection` (in `link/`) sends, receives and keeps the order; of packets it knows what a
`Transport` tells it. PTP/IP is one (`ptpip`); a vendor whose cameras speak otherwise brings its
own, in `Vendor.transport`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from ..engine.channel import Channel
from ..engine.phase import Phase
from ..engine.wire import Event
from .identity import Identity
from .timeouts import Timeouts


class Address(NamedTuple):
    """Where a camera is. Printed as people write it."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass
class Opened:
    """An open connection to a camera, as `Transport.open` returns it.

    command: the channel for transactions. event: the channel for events; None if there is none
    (yet). guid, name: the identity of the Responder. number: its number for this connection.
    probes: whether it tolerates Probe Requests. early: event packets received while opening.
    """

    command: Channel
    event: Channel | None = None
    number: int = 0
    guid: bytes = b""
    name: str = ""
    probes: bool = True
    early: list[bytes] = field(default_factory=list)

    def close(self) -> None:
        """End both connections, the Event connection first."""
        if self.event is not None:
            self.event.close()
        self.command.close()


class Heard(NamedTuple):
    """What a packet that is no answer comes to. reply: bytes for the Event connection."""

    event: Event | None = None
    reply: bytes = b""


class Transport(Protocol):
    """How transactions travel. One object serves all connections: it holds no state."""

    @property
    def port(self) -> int:
        """Where its cameras listen. A camera at this port is taken for one of them."""
        ...

    def open(
        self, address: Address, identity: Identity, timeouts: Timeouts, *, probes: bool
    ) -> Opened:
        """Connect, as far as operations are accepted. ConnectFailed, InitFailed."""
        ...

    def open_events(self, opened: Opened, address: Address, timeouts: Timeouts) -> Channel | None:
        """Return the Event connection of a camera that opens it with the session; it is asked for
        when the session has begun, unless `open` has brought one. None where there is none.
        ConnectFailed."""
        ...

    def request(
        self,
        operation: int,
        transaction_id: int,
        parameters: tuple[int, ...],
        payload: memoryview | None,
    ) -> bytes:
        """Return what leaves for one operation; with a payload, its data-out phase too."""
        ...

    def phase(
        self, transaction_id: int, *, limit: int | None, any_transaction_id: bool, label: str
    ) -> Phase:
        """Return the machine that takes the answer apart; the arguments are those of `Phase`."""
        ...

    def hear(self, packet: bytes) -> Heard:
        """Return what a packet of the Event connection, or a stray one, comes to. ProtocolError."""
        ...

    def farewell(self) -> bytes:
        """Return what is sent before a connection is closed; nothing for most."""
        ...
