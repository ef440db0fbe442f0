"""A trial with small TCP segments: does the camera answer then, although it was silent before?

Where a network on the way takes only small packets and hides that it drops large ones (an MTU black
hole), small answers arrive and large ones never do. A connection that announces a small segment
size makes the camera send small packets only.
"""

from __future__ import annotations

import contextlib
import socket
import time

from ..engine.wire import (
    EndData,
    InitCommandAck,
    InitCommandRequest,
    InitEventRequest,
    OperationRequest,
    OperationResponse,
    Packet,
    pack,
    parse,
)
from ..ptp.codes import PROTOCOL_VERSION, OperationCode
from ..ptp.errors import ProtocolError
from ..transport.contract import Address
from ..transport.identity import Identity

SEGMENT = 500  # bytes; the smallest MTU of IPv4 hosts is 576, with 40 bytes of headers
TRIAL_S = 5.0
AFTER_DROP_S = 1.2  # before the next connection, as after any lost one (zcine)
LONGEST = 1 << 20  # bytes of a packet


def answers_in_small_segments(
    address: Address, identity: Identity, read: tuple[int, tuple[int, ...]] | None = None
) -> bool:
    """Return whether the camera answers in full over small segments.

    Args:
        address: the camera's.
        identity: that of this computer.
        read: operation and parameters of a read in a session; by default DeviceInfo is asked for.
    """
    deadline = time.monotonic() + TRIAL_S
    try:
        with contextlib.ExitStack() as closing:
            command = closing.enter_context(_connected(address, deadline))
            _send(command, InitCommandRequest(*_who(identity), PROTOCOL_VERSION))
            ack = parse(_received(command, deadline))
            if not isinstance(ack, InitCommandAck):
                return False
            event = closing.enter_context(_connected(address, deadline))
            _send(event, InitEventRequest(ack.connection_number))
            _received(event, deadline)
            if read is None:
                return _answers(command, OperationCode.GetDeviceInfo, 0, (), deadline)
            _answers(command, OperationCode.OpenSession, 0, (1,), deadline)
            answered = _answers(command, read[0], 1, read[1], deadline)
            _answers(command, OperationCode.CloseSession, 2, (), deadline)
            return answered
    except (OSError, ProtocolError):
        return False


def _answers(
    command: socket.socket,
    operation: int,
    transaction_id: int,
    parameters: tuple[int, ...],
    deadline: float,
) -> bool:
    """Run an operation; return whether data has come."""
    _send(command, OperationRequest(1, operation, transaction_id, parameters))
    is_told = False
    while not isinstance(packet := parse(_received(command, deadline)), OperationResponse):
        is_told = is_told or isinstance(packet, EndData)
    return is_told


def _who(identity: Identity) -> tuple[bytes, str]:
    own = identity.filled()
    return own.guid or b"", (own.name or "")[:39]


def _connected(address: Address, deadline: float) -> socket.socket:
    error: OSError | None = None
    rows = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)
    for family, kind, protocol, _, where in rows:
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(_left(deadline))
            sock.connect(where)
        except OSError as each:
            sock.close()
            error = each
        else:
            return sock
    raise error or OSError("no address")


def _send(sock: socket.socket, packet: Packet) -> None:
    sock.sendall(pack(packet))


def _received(sock: socket.socket, deadline: float) -> bytes:
    """Return the next packet. OSError without one in time."""
    head = _exactly(sock, 8, deadline)
    size = int.from_bytes(head[:4], "little")
    if not 8 <= size <= LONGEST:
        raise ProtocolError(f"a packet of {size} bytes")
    return head + _exactly(sock, size - 8, deadline)


def _exactly(sock: socket.socket, size: int, deadline: float) -> bytes:
    data = bytearray()
    while len(data) < size:
        sock.settimeout(_left(deadline))
        piece = sock.recv(size - len(data))
        if not piece:
            raise ConnectionError("the connection ended")
        data += piece
    return bytes(data)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left
