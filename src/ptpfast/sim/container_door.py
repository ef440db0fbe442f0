"""The transport of the simulated camera in containers, on three ports.

Clients are admitted as by `PtpIpDoor`; the packets are those of the model (`Containers`).
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from ..engine import containers
from ..engine.wire import ContainerKind, Event, OperationRequest, OperationResponse
from ..ptp.errors import ProtocolError
from ..vendors.body import Containers
from .container_data import ContainerData, response
from .content import Content
from .effects.data import DataPlan
from .effects.handshake import Greeting
from .outlet import PeerLeftError
from .peer import PacketReader, Peer
from .ptpip_door import PtpIpDoor

FRAME_S = 1 / 30  # between two live view frames
_DATA_OUT, _NO_DATA_OUT = 2, 1  # data phase info, which containers do not have


class ContainerDoor(PtpIpDoor):
    """A `Door` for containers. Its arguments are those of `PtpIpDoor`, behind the packets."""

    def __init__(self, packets: Containers, *rest: Any) -> None:
        self._packets = packets
        super().__init__(*rest)

    def admit(self, sock: socket.socket, serve: Callable[[Peer], None]) -> None:
        """Do the handshake of the command connection, and serve it."""
        reader = PacketReader(sock)
        sock.settimeout(self._pending_s)
        packet = reader.read()
        sock.settimeout(None)
        if packet is None:
            return
        try:
            initiator = self._packets.hello(packet)
        except ProtocolError:
            self._refuse(sock, self._packets.version_reason)
            return
        self._admit_command(sock, reader, initiator, serve)

    def admit_events(self, sock: socket.socket) -> None:
        """Serve the connection for events: the camera only sends there."""
        greeting = self._greeting(on_event=True)
        peer = self._pairing.peer
        if peer is None or peer.event is not None or greeting.refusal is not None:
            return
        if greeting.late_s is not None:
            peer.wait(greeting.late_s)
        if greeting.silent:
            peer.extra.append(sock)
        else:
            self._pairing.attach(peer, lambda: peer.attach_event(sock, b""))
        reader = PacketReader(sock)
        try:
            while reader.read():
                pass
        finally:
            if peer.dropped is peer.command:  # this one was all that was left
                self._pairing.part(peer)

    def admit_live_view(self, sock: socket.socket) -> None:
        """Serve the connection for live view: frames, until either side leaves."""
        peer = self._pairing.peer
        if peer is None:
            return
        peer.extra.append(sock)
        number = 0
        while not peer.gone.wait(FRAME_S):
            if not peer.silent:
                number += 1
                sock.sendall(self._packets.frame(number, self._body.frame()))

    def receive_data(self, peer: Peer) -> bytes | None:
        """Return the payload of the data container of a data-out phase. Raises ProtocolError."""
        packet = peer.reader.read()
        if packet is None:
            raise PeerLeftError("in a data-out phase")
        container = containers.parse(packet)
        if container.kind != ContainerKind.DATA_CONTAINER:
            raise ProtocolError("a data container was expected")
        return bytes(container.payload)

    def plan_data(self, request: OperationRequest, size: int) -> DataPlan:
        """Plan a data container. It always has its length."""
        plan = DataPlan.of(request.transaction_id, size, announce_total=True)
        plan.operation = request.code
        return plan

    def send_data(self, peer: Peer, plan: DataPlan, content: Content, offset: int) -> None:
        """Send all but the last flush, so that the response can leave with the last bytes."""
        phase = ContainerData(peer, plan, content, offset, self._packets.event)
        try:
            phase.send()
        finally:
            plan.sent = phase.sent

    def respond(self, peer: Peer, response_: OperationResponse) -> None:
        """Send a response container, and what the data phase left unflushed."""
        packet = response(response_)
        peer.outlet.put(packet, len(packet))
        peer.outlet.flush()

    def send_event(self, event: Event) -> None:
        """Send an event on its connection."""
        peer = self._pairing.peer
        if peer is not None:
            peer.send_event(self._packets.event(event))

    def _is_complete(self, peer: Peer) -> bool:
        """Return True: no other connection is waited for."""
        return True

    def _refusal(self, reason: int) -> bytes:
        return self._packets.refusal(reason)

    def _request(self, peer: Peer, raw: bytes) -> OperationRequest | None:
        if raw == self._packets.farewell:
            return None
        container = containers.parse(raw)
        if container.kind != ContainerKind.COMMAND_CONTAINER:
            raise ProtocolError(f"a container of kind {container.kind} instead of a command")
        code = container.code
        if not code:  # libgphoto2 2.5.30 sends its first packet twice
            self._packets.hello(raw)
            peer.command.sendall(self._init_command_ack(peer.number, Greeting()))
            return None
        data_phase = _DATA_OUT if code in self._packets.data_out else _NO_DATA_OUT
        return OperationRequest(data_phase, code, container.transaction_id, container.parameters)

    def _init_command_ack(self, number: int, greeting: Greeting) -> bytes:
        packet = greeting.ack(self._packets.welcome(number, self.guid, self.name))
        return len(packet).to_bytes(4, "little") + packet[4:]
