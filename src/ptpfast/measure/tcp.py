"""What the kernel knows of the connection to the camera: TCP's own round trip, and what got lost.

TCP answers in the camera's kernel, not in its firmware's PTP part: its round trip is the link's
alone. Linux tells it (getsockopt TCP_INFO); elsewhere, and for a camera on this computer, whose
loopback interface is no link, nothing is known. Layout: linux/tcp.h, struct tcp_info, which only
ever grows at its end.
"""

from __future__ import annotations

import os
import socket
import sys
from dataclasses import dataclass

_TCP_INFO: int | None = getattr(socket, "TCP_INFO", None)
_SIZE = 256
# Field → offset and size in bytes.
_FIELDS = {
    "rtt_us": (68, 4),
    "rtt_var_us": (72, 4),
    "total_retrans": (100, 4),
    "bytes_received": (128, 8),
    "min_rtt_us": (148, 4),
    "data_segs_in": (152, 4),
    "rcv_ooopack": (224, 4),  # since Linux 5.4
}


@dataclass(frozen=True, slots=True)
class TcpState:
    """A connection's state. Times in ms, None where the kernel does not say.

    min_rtt_ms: the shortest round trip of the last minutes, handshake included.
    rtt_ms, rtt_var_ms: smoothed; with the camera's delay if it acknowledges with its answer.
    segments: received packets with data. out_of_order: received packets after a missing one.
    repeated: packets that this computer sent again.
    """

    min_rtt_ms: float | None
    rtt_ms: float | None
    rtt_var_ms: float | None
    segments: int
    out_of_order: int
    repeated: int
    local: str

    @property
    def loss(self) -> float:
        """Out-of-order packets as a part of all."""
        return self.out_of_order / self.segments if self.segments else 0.0


def tcp_state(host: str, port: int) -> TcpState | None:
    """Return the TCP state of this process's busiest connection to a camera; None if unknown."""
    found = [state for state in map(_look, _sockets_to(host, port)) if state is not None]
    return max(found, key=lambda row: row[0])[1] if found else None


def parse(info: bytes, local: str) -> tuple[int, TcpState] | None:
    """Bytes received and the state, from a `tcp_info`; None if it is of an older kernel."""
    values = {}
    for name, (offset, size) in _FIELDS.items():
        if len(info) < offset + size:
            return None
        values[name] = int.from_bytes(info[offset : offset + size], sys.byteorder)
    known = 0 < values["min_rtt_us"] < 0xFFFFFFFF
    return values["bytes_received"], TcpState(
        values["min_rtt_us"] / 1e3 if known else None,
        values["rtt_us"] / 1e3 or None,
        values["rtt_var_us"] / 1e3 or None,
        values["data_segs_in"],
        values["rcv_ooopack"],
        values["total_retrans"],
        local,
    )


def _look(sock: socket.socket) -> tuple[int, TcpState] | None:
    assert _TCP_INFO is not None
    with sock:
        try:
            info = sock.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _SIZE)
            return parse(info, sock.getsockname()[0])
        except OSError:
            return None


def _sockets_to(host: str, port: int) -> list[socket.socket]:
    """Duplicates of this process's sockets that are connected there.

    The engine does not lend its sockets; their descriptors are looked for instead.
    """
    if _TCP_INFO is None:
        return []
    try:
        addresses = {row[4][0] for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
        descriptors = [int(name) for name in os.listdir("/proc/self/fd")]
    except OSError:
        return []
    found = []
    for descriptor in descriptors:
        try:
            if not os.readlink(f"/proc/self/fd/{descriptor}").startswith("socket:"):
                continue
            sock = socket.socket(fileno=os.dup(descriptor))
        except OSError:
            continue
        try:
            peer = sock.getpeername() if sock.family != socket.AF_UNIX else ("", 0)
        except OSError:
            peer = ("", 0)
        if peer[0] in addresses and peer[1] == port:
            found.append(sock)
        else:
            sock.close()
    return found
