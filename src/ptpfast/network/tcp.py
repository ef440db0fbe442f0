"""The kernel's view of the connection to the camera: TCP's round trip and lost packets.

TCP answers in the camera's kernel, not in its PTP firmware, so its round trip is the link's alone.
Linux reports it (getsockopt TCP_INFO). On other systems, and for a camera on this computer, nothing
is known.

Source: linux/tcp.h, struct tcp_info, which only grows at its end.
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
    """The state of a connection. Times in ms; None if the kernel does not report one.

    Attributes:
        min_rtt_ms: The shortest round trip of the last minutes, handshake included.
        rtt_ms, rtt_var_ms: Smoothed values, with the camera's delay if it acknowledges with its
            answer.
        segments: Received packets with data.
        out_of_order: Received packets after a missing one.
        repeated: Packets that this computer sent again.
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
    """Return the received bytes and the state in a `tcp_info`; None from an older kernel."""
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
    """Return duplicates of this process's sockets that are connected there.

    The engine does not lend its sockets, so this searches the descriptors.
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
