"""Panasonic's transport: PTP/IP behind an HTTP gate.

Source: webptz (src/device/lumix.rs), which works with a DC-BGH1.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ...engine.channel import Channel
from ...engine.phase import Phase
from ...ptp.codes import DEFAULT_PORT
from ...transport.contract import Address, Heard, Opened
from ...transport.handshake import shake_hands
from ...transport.identity import Identity
from ...transport.ptpip import PTP_IP
from ...transport.timeouts import Timeouts
from .gate import APPLICATION, Gate

GUID = b"\xff" * 16
PARAMETERS = 5  # of each request: fewer are filled up with zeros
CONNECTION_NUMBER = 1  # of Init Event Request, whatever the camera says


@dataclass(frozen=True)
class PanasonicTransport:
    """PTP/IP, after access was asked for.

    Attributes:
        gate: How this computer goes through it.
    """

    gate: Gate = field(default_factory=Gate)
    port: int = DEFAULT_PORT

    def open(
        self, address: Address, identity: Identity, timeouts: Timeouts, *, probes: bool
    ) -> Opened:
        """Go through the gate, then connect both connections. No probe is known to be taken."""
        self.gate.describe(address.host, timeouts.connect)
        self.gate.enter(address.host, timeouts.connect)
        known = identity._replace(
            guid=identity.guid or GUID, name=identity.name or APPLICATION, confirm=None
        )
        return shake_hands(address, known, timeouts, probes=False, number=CONNECTION_NUMBER)

    def open_events(self, opened: Opened, address: Address, timeouts: Timeouts) -> Channel | None:
        """Return the Event connection of `open`."""
        return opened.event

    def request(
        self,
        operation: int,
        transaction_id: int,
        parameters: tuple[int, ...],
        payload: memoryview | None,
    ) -> bytes:
        """Pack a request with five parameters."""
        filled = (*parameters, *[0] * (PARAMETERS - len(parameters)))
        return PTP_IP.request(operation, transaction_id, filled, payload)

    def phase(
        self, transaction_id: int, *, limit: int | None, any_transaction_id: bool, label: str
    ) -> Phase:
        """Return the phase of PTP/IP."""
        return PTP_IP.phase(
            transaction_id, limit=limit, any_transaction_id=any_transaction_id, label=label
        )

    def hear(self, packet: bytes) -> Heard:
        """Parse an event of PTP/IP."""
        return PTP_IP.hear(packet)

    def farewell(self) -> bytes:
        """Return nothing."""
        return PTP_IP.farewell()
