"""PTP/IP: Init packets on two connections, data phases in separate packets.

Sources: CIPA DC-005 as in malc0mn/ptp-ip; ISO 15740.
"""

from __future__ import annotations

from ..engine import wire
from ..engine.channel import Channel
from ..engine.framing import DataPhase
from ..engine.phase import Phase
from ..engine.wire import pack, parse
from ..ptp.codes import DEFAULT_PORT
from .contract import Address, Heard, Opened, Transport
from .handshake import shake_hands
from .identity import Identity
from .timeouts import Timeouts

# Data phase info of an Operation Request (ISO 15740 calls both of the first "no data out").
_NO_DATA_OUT = 1
_DATA_OUT = 2


class PtpIp:
    """The standard's transport."""

    port = DEFAULT_PORT

    def open(
        self, address: Address, identity: Identity, timeouts: Timeouts, *, probes: bool
    ) -> Opened:
        """Connect both connections and complete both handshakes."""
        return shake_hands(address, identity, timeouts, probes=probes)

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
        """Pack an Operation Request, with Start Data and End Data for a payload."""
        data_phase = _NO_DATA_OUT if payload is None else _DATA_OUT
        packets = pack(wire.OperationRequest(data_phase, operation, transaction_id, parameters))
        if payload is not None:
            packets += pack(wire.StartData(transaction_id, payload.nbytes))
            packets += pack(wire.EndData(transaction_id, payload))
        return packets

    def phase(
        self, transaction_id: int, *, limit: int | None, any_transaction_id: bool, label: str
    ) -> Phase:
        """Return a phase for Start Data, Data, End Data and Operation Response."""
        return DataPhase(
            transaction_id, limit=limit, any_transaction_id=any_transaction_id, label=label
        )

    def hear(self, packet: bytes) -> Heard:
        """Parse an event; answer a Probe Request."""
        parsed = parse(packet)
        if isinstance(parsed, wire.ProbeRequest):
            return Heard(reply=pack(wire.ProbeResponse()))
        return Heard(parsed if isinstance(parsed, wire.Event) else None)

    def farewell(self) -> bytes:
        """Return nothing: closing the connection is enough."""
        return b""


PTP_IP: Transport = PtpIp()
