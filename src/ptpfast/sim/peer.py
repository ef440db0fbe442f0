"""The Initiator as the simulated camera sees it: two sockets, and bytes cut into packets.

`PacketReader` finds packets in a stream, `Outlet` sends buffers as one gathered write (or slowly,
or in fragments), `Peer` is one pair of connections. None of them knows operations, objects or
faults.
"""

from __future__ import annotations

import contextlib
import math
import select
import socket
import sys
import threading
import time
from collections.abc import Iterator
from enum import Enum
from itertools import chain

from ..engine.wire import Cancel, InitEventAck, Packet, PacketType, pack, parse
from ..ptp.errors import ProtocolError

LARGEST_PACKET = 16 << 20  # of an Initiator; its largest are Data packets of a data-out phase
_RECEIVE = 1 << 16
_MOST_BUFFERS = 1000  # of one sendmsg; IOV_MAX is 1024 on Linux and macOS
_MOST_BYTES = 4 << 20
# A slowed transfer leaves in slices of this many seconds, but of no fewer bytes than a small
# packet.
_SLICE_S = 0.01
_SMALLEST_SLICE = 1460
# struct linger: on, 0 seconds.
_NO_LINGER = b"".join(value.to_bytes(4, sys.byteorder) for value in (1, 0))
_KNOWN_TYPES = frozenset(int(kind) for kind in PacketType)

Chunk = bytes | memoryview


class Writes(Enum):
    """What a Responder hands to its TCP at a time; with Nagle's algorithm that matters."""

    WHOLE = "whole"  # data phase and response together, as far as they fit
    APART = "apart"  # each packet by a send of its own
    PIECES = "pieces"  # also the head of a Data packet and its payload


class PeerLeftError(ConnectionError):
    """The pair of connections is over: the Initiator went, or a fault or `close` ended it."""


class PacketReader:
    """Packets of one connection, in order."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = bytearray()

    def read(self) -> bytes | None:
        """The next packet, None at the stream's end; ProtocolError for an impossible length."""
        while True:
            if packet := self._cut():
                return packet
            data = self._sock.recv(_RECEIVE)
            if not data:
                return None
            self._buffer += data

    def comes_within(self, seconds: float) -> bool:
        """Whether something is there, or comes in so many seconds."""
        limit = None if math.isinf(seconds) else seconds
        return bool(self._buffer or select.select([self._sock], [], [], limit)[0])

    def waiting(self, seconds: float) -> list[bytes]:
        """The packets that are whole already, or within `seconds`; without waiting for more."""
        if select.select([self._sock], [], [], 0 if self._buffer else seconds)[0]:
            self._buffer += self._sock.recv(_RECEIVE)
        return list(iter(self._cut, None))

    def drop_cancel(self, transaction_id: int) -> bool:
        """Whether a Cancel of this transaction has arrived, without waiting; it is taken out."""
        if len(self._buffer) < _RECEIVE:
            try:
                self._buffer += self._sock.recv(_RECEIVE, socket.MSG_DONTWAIT)
            except BlockingIOError:
                pass
        cancel = pack(Cancel(transaction_id))
        at = 0
        while at + 8 <= len(self._buffer):
            length = int.from_bytes(self._buffer[at : at + 4], "little")
            if self._buffer[at : at + length] == cancel:
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


def parse_known(packet: bytes) -> Packet | None:
    """The packet's values; None for a type that PTP/IP does not define, which is to be ignored."""
    if int.from_bytes(packet[4:8], "little") not in _KNOWN_TYPES:
        return None
    return parse(packet)


class Outlet:
    """Sends buffers through a socket: gathered, at most `bytes_per_s`, at most `fragment` a time.

    `writes` says how much is gathered: call `end_of_packet` after the last chunk of each packet. A
    chunk must not change until `flush` has returned.
    """

    def __init__(
        self,
        sock: socket.socket,
        gone: threading.Event,
        *,
        bytes_per_s: float | None = None,
        fragment: int | None = None,
        writes: Writes = Writes.WHOLE,
    ) -> None:
        self.writes = writes
        self._sock = sock
        self._gone = gone
        self._bytes_per_s = bytes_per_s
        self._fragment = fragment
        self._waiting: list[Chunk] = []
        self._size = 0
        # A slowed payload is not collected for long, or a Cancel would be seen late.
        self._most_bytes = _MOST_BYTES
        if bytes_per_s is not None:
            self._most_bytes = min(
                _MOST_BYTES, max(_SMALLEST_SLICE, int(5 * _SLICE_S * bytes_per_s))
            )
        self._free_at = 0.0  # when the slowed line has room again
        self.drip_s: float | None = None  # from now on one byte each so many seconds

    def put(self, chunk: Chunk, size: int) -> None:
        """Adds a chunk of `size` bytes to what the next flush sends; flushes when that is much."""
        self._waiting.append(chunk)
        self._size += size
        if len(self._waiting) >= _MOST_BUFFERS or self._size >= self._most_bytes:
            self.flush()

    def end_of_packet(self) -> None:
        """What waits ends a packet: sends it, unless answers are written as a whole."""
        if self.writes is not Writes.WHOLE:
            self.flush()

    def flush(self) -> None:
        """Sends all that waits. PeerLeftError when the pair ended meanwhile."""
        waiting, size = self._waiting, self._size
        if not waiting:
            return
        self._waiting, self._size = [], 0
        if self.drip_s is not None:
            self._drip(waiting, self.drip_s)
            return
        if self._bytes_per_s is None and self._fragment is None:
            self._send(waiting, size)
            return
        for piece in self._slices(waiting):
            self._wait_for_room(len(piece))
            self._send([piece], len(piece))

    def _send(self, chunks: list[Chunk], size: int) -> None:
        sent = self._sock.sendmsg(chunks)
        if sent == size:
            return
        # A gathered write is whole unless a signal cut it: then go on from there.
        for chunk in chunks:
            if sent < len(chunk):
                self._sock.sendall(memoryview(chunk)[sent:])
            sent = max(0, sent - len(chunk))

    def _drip(self, chunks: list[Chunk], pause_s: float) -> None:
        for byte in chain.from_iterable(chunks):
            self._sock.sendall(bytes([byte]))
            if self._gone.wait(pause_s):
                raise PeerLeftError("while sending")

    def _slices(self, chunks: list[Chunk]) -> Iterator[memoryview]:
        size = self._fragment or _MOST_BYTES
        if self._bytes_per_s is not None:
            size = min(size, max(_SMALLEST_SLICE, int(self._bytes_per_s * _SLICE_S)))
        # Small packets first become one stretch, or each would cost a wait of its own.
        stretch = memoryview(b"".join(chunks))
        for start in range(0, len(stretch), size):
            yield stretch[start : start + size]

    def _wait_for_room(self, size: int) -> None:
        if self._bytes_per_s is None:
            return
        now = time.monotonic()
        if self._free_at > now and self._gone.wait(self._free_at - now):
            raise PeerLeftError("while sending")
        # Time lost by waking late is made up for, but not more than a slice of it.
        self._free_at = max(self._free_at, now - _SLICE_S) + size / self._bytes_per_s


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
        self.reader = reader
        self.gone = threading.Event()
        self.outlet = Outlet(
            command, self.gone, bytes_per_s=bytes_per_s, fragment=fragment, writes=writes
        )
        self.session_id = 0
        self.last_transaction_id = 0
        self.payload_sent = 0
        self.cancelled: int | None = None  # transaction id of the Event connection's last Cancel
        self.event_acknowledged_at: float | None = None
        self.probed = False
        self.silent = False  # a fault has made both connections a black hole
        self.dropped: socket.socket | None = None  # what a fault closed, leaving the other
        self._event_lock = threading.Lock()

    def leave(self, *, reset: bool = False) -> None:
        """Ends both connections: whoever waits on one wakes up. With `reset`, by RST.

        The threads that serve them close the sockets.
        """
        if self.gone.is_set():
            return  # a reset must not be followed by a FIN
        self.gone.set()
        for sock in (self.command, self.event):
            if sock is not None:
                shut(sock, reset=reset)

    def attach_event(self, sock: socket.socket) -> None:
        """Welcomes the Event connection; no event comes before the Init Event Ack."""
        with self._event_lock:
            sock.sendall(pack(InitEventAck()))
            self.event = sock
            self.event_acknowledged_at = time.monotonic()
        if self.gone.is_set():
            shut(sock)

    def send_event(self, packet: Packet) -> bool:
        """Sends a packet on the Event connection; False when there is none to send it on."""
        with self._event_lock:
            if self.event is None or self.silent:
                return False
            try:
                self.event.sendall(pack(packet))
            except OSError:
                return False
            return True

    def drop(self, sock: socket.socket | None) -> None:
        """Closes one of the connections and leaves the other."""
        self.dropped = sock
        if sock is not None:
            shut(sock)

    def has_left(self) -> bool:
        """Whether the Initiator has closed one of the connections, as far as we have been told."""
        return any(_at_end(sock) for sock in (self.command, self.event) if sock is not None)

    def wait(self, seconds: float | None) -> None:
        """Waits so many seconds, for ever with None; PeerLeftError when the pair ends."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while True:
            # Nobody reads the Command/Data connection meanwhile, so look at its end now and then.
            pause = 0.05 if deadline is None else min(0.05, deadline - time.monotonic())
            if self.gone.wait(max(0.0, pause)) or _at_end(self.command):
                raise PeerLeftError("while waiting")
            if deadline is not None and time.monotonic() >= deadline:
                return


def shut(sock: socket.socket, *, reset: bool = False) -> None:
    """Ends a connection without closing the socket, so that its thread sees the end."""
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
    """Closes a socket; first takes out what has arrived unread, else the peer would get RST."""
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
