"""Ways to send: gathered into one write, slowly, or in fragments."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from enum import Enum
from itertools import chain

_MOST_BUFFERS = 1000  # of one sendmsg; IOV_MAX is 1024 on Linux and macOS
_MOST_BYTES = 4 << 20
# A slowed transfer leaves in slices of this many seconds, but of no fewer bytes than a small
# packet.
_SLICE_S = 0.01
_SMALLEST_SLICE = 1460

Chunk = bytes | memoryview


class Writes(Enum):
    """The amount that the camera passes to TCP at a time; it matters with Nagle's algorithm."""

    WHOLE = "whole"  # data phase and response together, as far as they fit
    APART = "apart"  # one send per packet
    PIECES = "pieces"  # also the head of a Data packet and its payload


class PeerLeftError(ConnectionError):
    """The pair of connections has ended: the client left, or a fault or `close` ended it."""


class Outlet:
    """Sender of buffers through a socket: gathered, at most `bytes_per_s`, at most `fragment` a
    time.

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
        """Add a chunk of `size` bytes to the next flush; flush if that is much."""
        self._waiting.append(chunk)
        self._size += size
        if len(self._waiting) >= _MOST_BUFFERS or self._size >= self._most_bytes:
            self.flush()

    def end_of_packet(self) -> None:
        """End a packet: send it, unless answers are sent as a whole."""
        if self.writes is not Writes.WHOLE:
            self.flush()

    def flush(self) -> None:
        """Send all pending chunks. Raises PeerLeftError if the pair has ended."""
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
        # Join small packets first, or each would cost a wait.
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
