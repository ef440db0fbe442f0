"""An accepted connection made ready to be served: the socket's options, and the link in front."""

from __future__ import annotations

import socket

from .relay import Relay


def prepare(
    sock: socket.socket, relay: Relay | None, *, nagle: bool, send_buffer: int | None
) -> socket.socket | None:
    """Returns the socket to serve, which is another one behind a relay; None, and the connection is
    closed, where this process has no descriptors left for it."""
    sock.setblocking(True)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, not nagle)
    if relay is not None:
        try:
            sock = relay.between(sock, merges=not nagle)
        except OSError:
            sock.close()
            return None
    if send_buffer is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    return sock
