"""How an Initiator gets in: the Init packets of both connections, and what the Event one hears.

Runs in the thread of the connection it serves. Knows no operations.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from ..engine.wire import (
    Cancel,
    InitCommandAck,
    InitCommandRequest,
    InitEventRequest,
    InitFail,
    ProbeRequest,
    ProbeResponse,
    pack,
)
from ..ptp.codes import PROTOCOL_VERSION, FailReason
from .faults import Fault
from .peer import PacketReader, Peer, parse_known
from .transactions import serve_transactions

if TYPE_CHECKING:
    from .responder import SimulatedCamera

_PADDED_NAME_UNITS = 40


def serve_connection(camera: SimulatedCamera, sock: socket.socket) -> None:
    """Serves one accepted connection to its end: its first packet says which of the two it is."""
    reader = PacketReader(sock)
    sock.settimeout(camera.pending_s)
    packet = reader.read()
    sock.settimeout(None)
    match parse_known(packet) if packet else None:
        case InitCommandRequest() as request:
            _serve_command(camera, sock, reader, request)
        case InitEventRequest() as request:
            _serve_event(camera, sock, reader, request)


def _serve_command(
    camera: SimulatedCamera,
    sock: socket.socket,
    reader: PacketReader,
    request: InitCommandRequest,
) -> None:
    faults = {fault.kind: fault for fault in camera.faults.due_at_init("init")}
    if "init_drop" in faults:
        return
    if "init_silence" in faults:
        _wait_for_end(reader)
        return
    if "init_fail" in faults:
        _refuse(sock, faults["init_fail"].number)
        return
    peer = camera.admit(sock, reader, request, _connection_number(faults))
    if peer is None:
        _refuse(sock, FailReason.BUSY)
        return
    try:
        sock.sendall(_init_command_ack(camera, peer.number, faults))
        if camera.wait_for_event_connection(peer):
            serve_transactions(camera, peer)
    finally:
        # With `drop_command` the other connection stays, until the Initiator closes it.
        if peer.dropped is not sock:
            camera.part(peer)


def _serve_event(
    camera: SimulatedCamera,
    sock: socket.socket,
    reader: PacketReader,
    request: InitEventRequest,
) -> None:
    faults = {fault.kind: fault for fault in camera.faults.due_at_init("event")}
    if "event_silence" in faults:
        _wait_for_end(reader)
        return
    peer = camera.pending_peer(request.connection_number)
    if peer is None or "event_fail" in faults:
        fault = faults.get("event_fail")
        _refuse(sock, fault.number if fault else FailReason.REJECTED_INITIATOR)
        if peer is not None:
            camera.part(peer)
        return
    try:
        if "event_late" in faults:
            peer.wait(float(faults["event_late"].value or 0))
        camera.attach_event(peer, sock)
        _listen(camera, peer, reader, drops_at_probe="event_probe_drop" in faults)
    finally:
        if peer.dropped is not sock:
            camera.part(peer)


def _listen(
    camera: SimulatedCamera, peer: Peer, reader: PacketReader, *, drops_at_probe: bool
) -> None:
    while packet := reader.read():
        match parse_known(packet):
            case ProbeRequest() if drops_at_probe:
                return
            case ProbeRequest():
                peer.probed = True
                peer.send_event(ProbeResponse())
            case ProbeResponse():
                camera.count("probe_responses")
            case Cancel(transaction_id):
                peer.cancelled = transaction_id


def _refuse(sock: socket.socket, reason: int) -> None:
    sock.sendall(pack(InitFail(reason)))


def _wait_for_end(reader: PacketReader) -> None:
    while reader.read():
        pass


def _connection_number(faults: dict[str, Fault]) -> int | None:
    return faults["init_number"].number if "init_number" in faults else None


def _init_command_ack(camera: SimulatedCamera, number: int, faults: dict[str, Fault]) -> bytes:
    packet = pack(InitCommandAck(number, camera.guid, camera.name, PROTOCOL_VERSION))
    if "init_padded_name" in faults:
        head, name = packet[:28], packet[28:-4].ljust(2 * _PADDED_NAME_UNITS, b"\0")
        packet = head + name
    elif "init_no_version" in faults:
        packet = packet[:-4]
    return len(packet).to_bytes(4, "little") + packet[4:]
