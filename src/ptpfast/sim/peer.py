"""The client as the simulated camera sees it: two sockets, and bytes cut into packets.

`PacketReader` finds packets in a stream, `Peer` is one pair of connections. Both know only the
length of a packet.
"""

from __future__ import annotations

import contextlib
import math
import select
import socket
import sys
import threading
import time
from collections import deque

from ..ptp.errors import ProtocolError
from .outlet import Outlet, PeerLeftError, Writes

LARGEST_PACKET = 16 << 20  # of an Initiator; its largest are Data packets of a data-out phase
_RECEIVE = 1 << 16
MOST_EARLY = 64  # events that wait for their connection
# struct linger: on, 0 seconds.
_NO_LINGER = b"".join(value.to_bytes(4, sys.byteorder) for value in (1, 0))


class PacketReader:
    """Packets of one connection, in order."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = bytearray()

    def read(self) -> bytes | None:
        """Return the next packet; None at the end. ProtocolError for an impossible length."""
        while True:
            if packet := self._cut():
                return packet
            data = self._sock.recv(_RECEIVE)
            if not data:
                return None
            self._buffer += data

    def comes_within(self, seconds: float) -> bool:
        """Return whether a byte is there, or comes within so many seconds."""
        limit = None if math.isinf(seconds) else seconds
        return bool(self._buffer or select.select([self._sock], [], [], limit)[0])

    def waiting(self, seconds: float) -> list[bytes]:
        """Return the complete packets that are here within `seconds`."""
        if select.select([self._sock], [], [], 0 if self._buffer else seconds)[0]:
            self._buffer += self._sock.recv(_RECEIVE)
        return list(iter(self._cut, None))

    def take_out(self, packet: bytes) -> bool:
        """Return whether exactly this packet has arrived, without waiting, and remove it."""
        if len(self._buffer) < _RECEIVE:
            try:
                self._buffer += self._sock.recv(_RECEIVE, socket.MSG_DONTWAIT)
            except BlockingIOError:
                pass
        at = 0
        while at + 8 <= len(self._buffer):
            length = int.from_bytes(self._buffer[at : at + 4], "little")
            if self._buffer[at : at + length] == packet:
                del self._buffer[at : at + length]
                return True
            at += max(8, length)
        return False

    def _cut(self) -> bytes | None:
        if len(self._buffer) < 8:
            return None
        length = int.from_bytes(self._buffer[:4], "little")
        if not 8 <= length <= LARGEST_PACKET:
            raise ProtocolError(f"a packet of length {length}")
        if len(self._buffer) < length:
            return None
        packet = bytes(self._buffer[:length])
        del self._buffer[:length]
        return packet


class Peer:
    """One pair of connections, from Init Command Request until either is closed."""

    def __init__(
        self,
        number: int,
        command: socket.socket,
        reader: PacketReader,
        *,
        bytes_per_s: float | None,
        fragment: int | None,
        writes: Writes,
    ) -> None:
        self.number = number
        self.command = command
        self.event: socket.socket | None = None
        self.extra: list[socket.socket] = []  # further ones, of a body that has them
        self.reader = reader
        self.gone: threading.Event = threading.Event()
        self.outlet: Outlet = Outlet(
            command, self.gone, bytes_per_s=bytes_per_s, fragment=fragment, writes=writes
        )
        self.initiator: tuple[bytes, str] = (bytes(16), "")  # GUID and name, from its Init
        self.session_id = 0
        self.last_transaction_id = 0
        self.payload_sent = 0
        self.cancelled: int | None = None  # transaction id of the Event connection's last Cancel
        self.unprobed_since: float | None = None  # Init Event Ack, until a Probe Request comes
        self.silent = False  # a fault has made both connections a black hole
        self.dropped: socket.socket | None = None  # the socket that a fault closed
        self._event_lock = threading.Lock()
        # A client may ask as soon as its connection is in the backlog: events wait for `accept`.
        self._early: deque[bytes] = deque(maxlen=MOST_EARLY)

    def leave(self, *, reset: bool = False) -> None:
        """End both connections, and wake the threads that wait on them. With `reset`, by RST.

        The threads that serve the sockets close them.
        """
        if self.gone.is_set():
            return  # a reset must not be followed by a FIN
        self.gone.set()
        for sock in (self.command, self.event, *self.extra):
            if sock is not None:
                shut(sock, reset=reset)

    def attach_event(self, sock: socket.socket, ack: bytes) -> None:
        """Accept the Event connection; no event comes before the ack."""
        with self._event_lock:
            sock.sendall(ack + b"".join(self._early))
            self._early.clear()
            self.event = sock
            self.unprobed_since = time.monotonic()
        if self.gone.is_set():
            shut(sock)

    def send_event(self, packet: bytes) -> bool:
        """Send a packet on the Event connection, once it is there; return whether it has left."""
        with self._event_lock:
            if self.silent:
                return False
            if self.event is None:
                self._early.append(packet)
                return False
            try:
                self.event.sendall(packet)
            except OSError:
                return False
            return True

    def drop(self, sock: socket.socket | None) -> None:
        """Close one of the connections and leave the other; it ends the pair if there is none."""
        if self.event is not None:
            self.dropped = sock
        if sock is not None:
            shut(sock)

    def has_left(self) -> bool:
        """Return whether the client is known to have closed one of the connections."""
        return any(_at_end(sock) for sock in (self.command, self.event) if sock is not None)

    def wait(self, seconds: float | None) -> None:
        """Wait so many seconds, for ever with None. Raises PeerLeftError if the pair ends."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while True:
            # No thread reads the Command/Data connection now, so check for its end now and then.
            pause = 0.05 if deadline is None else min(0.05, deadline - time.monotonic())
            if self.gone.wait(max(0.0, pause)) or _at_end(self.command):
                raise PeerLeftError("while waiting")
            if deadline is not None and time.monotonic() >= deadline:
                return


def shut(sock: socket.socket, *, reset: bool = False) -> None:
    """End a connection without closing the socket, so that its thread sees the end."""
    try:
        if reset:
            # No FIN now; closing with no time to linger sends RST.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            sock.shutdown(socket.SHUT_RD)
        else:
            sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def close(sock: socket.socket) -> None:
    """Close a socket; first read what has arrived, otherwise the peer would get RST."""
    with contextlib.suppress(OSError):
        sock.setblocking(False)
        while sock.recv(_RECEIVE):
            pass
    sock.close()


def _at_end(sock: socket.socket) -> bool:
    try:
        return not sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True
