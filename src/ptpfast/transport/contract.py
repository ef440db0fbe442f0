"""The interface of a transport.

`Connection` (in `link/`) sends, receives and keeps the order; its `Transport` knows the packets.
PTP/IP is one transport (`ptpip`). A vendor whose cameras use another one provides it in
`Vendor.transport`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from ..engine.channel import Channel
from ..engine.phase import Phase
from ..engine.wire import Event
from ..ptp.datasets import DeviceInfo
from .identity import Identity
from .tapping import Recorder
from .timeouts import Timeouts


class Frames(Protocol):
    """A connection on which a camera sends live view frames."""

    def newest(self, timeout_s: float) -> bytes:
        """Return the newest packet, without its length; wait for one if none has arrived."""
        ...

    def skip(self) -> None:
        """Drop the packets that have arrived."""
        ...

    def close(self) -> None:
        """End the connection."""
        ...


class Address(NamedTuple):
    """The address of a camera. str() gives it as people write it."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass
class Opened:
    """An open connection to a camera, as `Transport.open` returns it.

    Attributes:
        command: the channel for transactions.
        event: the channel for events; None if there is none (yet).
        guid, name: the identity of the camera.
        number: the camera's number for this connection.
        probes: False if the camera does not tolerate Probe Requests.
        early: event packets received while opening.
        device_info: what the handshake tells of a camera that is not asked for its DeviceInfo.
        live_view: the connection for live view frames, of a camera that has one.
        recorder: what records connections that are opened later.
    """

    command: Channel
    event: Channel | None = None
    number: int = 0
    guid: bytes = b""
    name: str = ""
    probes: bool = True
    early: list[bytes] = field(default_factory=list)
    device_info: DeviceInfo | None = None
    live_view: Frames | None = None
    recorder: Recorder | None = None

    def close(self) -> None:
        """End all connections, the Event connection first."""
        if self.event is not None:
            self.event.close()
        if self.live_view is not None:
            self.live_view.close()
        self.command.close()


class Heard(NamedTuple):
    """The meaning of a packet that is not an answer.

    Attributes:
        reply: bytes to send on the Event connection.
    """

    event: Event | None = None
    reply: bytes = b""


class Transport(Protocol):
    """The transport of transactions. One object serves all connections and holds no state."""

    @property
    def port(self) -> int:
        """The TCP port of its cameras. A camera at this port is assumed to use this transport."""
        ...

    def open(
        self, address: Address, identity: Identity, timeouts: Timeouts, *, probes: bool
    ) -> Opened:
        """Connect until operations are accepted. Raises ConnectFailed or InitFailed."""
        ...

    def open_events(self, opened: Opened, address: Address, timeouts: Timeouts) -> Channel | None:
        """Return the Event connection of a camera that opens it with the session; None without one.

        It is called when the session has begun, unless `open` has returned an Event connection.
        Raises ConnectFailed.
        """
        ...

    def request(
        self,
        operation: int,
        transaction_id: int,
        parameters: tuple[int, ...],
        payload: memoryview | None,
    ) -> bytes:
        """Return the bytes to send for one operation; with a payload, its data-out phase too."""
        ...

    def phase(
        self, transaction_id: int, *, limit: int | None, any_transaction_id: bool, label: str
    ) -> Phase:
        """Return the phase that parses the answer; the arguments are those of `Phase`."""
        ...

    def hear(self, packet: bytes) -> Heard:
        """Return the meaning of a packet of the Event connection, or of a stray one.

        Raises:
            ProtocolError: the packet is malformed.
        """
        ...

    def farewell(self) -> bytes:
        """Return the bytes to send before a connection is closed; usually none."""
        ...
