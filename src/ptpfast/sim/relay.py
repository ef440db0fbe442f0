"""A simulated link between the camera's sockets and those of its clients.

Each accepted connection is replaced by another one on this machine. Two threads carry the bytes
from either end to the other, as late as the link would. Pipelined requests are on their way at the
same time, as on a real link. A send of the camera blocks while the link's queue is full.
"""

from __future__ import annotations

import random
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Iterable
from typing import Any

from .link import Link
from .peer import close, shut

# The usual piece that a radio sends at a time, in seconds.
SLICE_S = 0.001
SMALLEST_SLICE, LARGEST_SLICE = 1448, 1 << 18
# Jitter is that of a channel, not of a packet: it stays for this long, then is drawn again.
JITTER_S = 0.004
# On their way at a time, where no rate says how much that can be.
IN_FLIGHT = 16 << 20
_SMALLEST_BUFFER = 1 << 16


class Line:
    """One direction of a link: it computes when bytes arrive. Thread-safe."""

    def __init__(self, link: Link, seed: str) -> None:
        self._link = link
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._free_at = self._began  # when the air is
        self._latest = self._began  # when the last piece is there: none overtakes it
        self._jitter = self._jitter_until = 0.0
        rate = link.rate
        size = LARGEST_SLICE if rate is None else int(rate * SLICE_S)
        self.slice: int = max(SMALLEST_SLICE, min(size, LARGEST_SLICE))

    def full_for(self) -> float:
        """Return the seconds until the queue has room; 0 if it has."""
        if self._link.rate is None:
            return 0.0
        with self._lock:
            waiting = self._free_at - time.monotonic()
        return max(0.0, waiting - self._link.queue / self._link.rate)

    def carry(self, size: int) -> float:
        """Accept so many bytes now; return when the last of them arrives, by `time.monotonic`."""
        link = self._link
        with self._lock:
            start = max(time.monotonic(), self._free_at)
            if link.outage is not None:
                start += self._left_of(link.outage[0], link.outage[1], start)
            rate = link.rate
            if link.cliff is not None and self._left_of(link.cliff[0], link.cliff[1], start):
                rate = link.cliff[2]
            self._free_at = start + (size / rate if rate else 0.0)
            if link.jitter and start >= self._jitter_until:
                self._jitter = self._random.uniform(-link.jitter, link.jitter) / 2
                self._jitter_until = start + JITTER_S
            self._latest = max(self._latest, self._free_at + link.rtt / 2 + self._jitter)
            return self._latest

    def _left_of(self, every: float, length: float, moment: float) -> float:
        """Return how much of an outage or fall is left at a moment."""
        into = (moment - self._began) % every
        return every - into if into >= every - length else 0.0


class Relay:
    """A running link. `between` puts it into a connection; `close` ends all of them."""

    def __init__(self, link: Link, name: str) -> None:
        self._down = Line(link, "down")
        self._up = Line(link, "up")
        self._name = name
        self._lock = threading.Lock()
        self._pumps: set[_Pump] = set()
        rate = link.rate or LARGEST_SLICE / SLICE_S
        self._buffer = max(_SMALLEST_BUFFER, int(2 * rate * SLICE_S))

    def between(self, outer: socket.socket, *, merges: bool = True) -> socket.socket:
        """Put the relay on an accepted connection, and return the end for the camera.

        Without `merges`, each write of the camera is also one write at the relay's end. With
        Nagle's algorithm this matters.
        """
        inner, camera = _connected(self._buffer)
        pair = _Pair(outer, inner)
        down = _Pump(pair, self._down, inner, outer, f"{self._name} link down")
        pumps = [_Pump(pair, self._up, outer, inner, f"{self._name} link up"), down]
        if not merges:
            camera = _Writer(camera, down.ends)
        with self._lock:
            self._pumps = {pump for pump in self._pumps if pump.is_alive()} | set(pumps)
            for pump in pumps:
                pump.start()
        return camera

    def close(self) -> None:
        """End every connection; return when all threads have ended."""
        with self._lock:
            pumps = list(self._pumps)
        for pump in pumps:
            pump.end()
        for pump in pumps:
            pump.join()


class _Writer(socket.socket):
    """The camera's end, which announces where each write ends. One thread at a time writes."""

    def __init__(self, camera: socket.socket, ends: deque[int]) -> None:
        super().__init__(fileno=camera.detach())
        self._ends = ends
        self._written = 0

    def sendall(self, data: Any, *rest: Any) -> None:
        self._about_to_write(len(data))
        super().sendall(data, *rest)

    def sendmsg(self, buffers: Iterable[Any], *rest: Any) -> int:
        buffers = list(buffers)
        size = sum(map(len, buffers))
        self._about_to_write(size)
        sent = super().sendmsg(buffers, *rest)
        self._written -= size - sent  # a signal cut it: `sendall` writes the rest
        return sent

    def _about_to_write(self, size: int) -> None:
        self._written += size
        self._ends.append(self._written)


class _Pair:
    """Two sockets that are closed when both threads between them have ended."""

    def __init__(self, *sockets: socket.socket) -> None:
        self._sockets = sockets
        self._lock = threading.Lock()
        self._users = 2

    def leave(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users:
                return
        for sock in self._sockets:
            close(sock)


class _Pump(threading.Thread):
    """Carrier of one direction of one connection."""

    def __init__(
        self, pair: _Pair, line: Line, source: socket.socket, to: socket.socket, name: str
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._pair = pair
        self._line = line
        self._source = source
        self._to = to
        self._under_way: deque[tuple[float, bytes]] = deque()
        self._size = 0
        self.ends: deque[int] = deque()  # of writes that are to stay apart, in bytes of the stream
        self._read = 0
        self._over = False

    def end(self) -> None:
        """Make the thread return soon. May be called from any thread."""
        self._over = True
        shut(self._source)
        shut(self._to)

    def run(self) -> None:
        reset = False
        try:
            reset = self._carry()
        except OSError:  # the other end takes no more: let the sender know
            shut(self._source)
        finally:
            if reset:
                shut(self._to, reset=True)
            else:
                _end_of_stream(self._to)
            self._pair.leave()

    def _carry(self) -> bool:
        """Carry until the source ends and the last byte has arrived; return whether by reset."""
        ended = reset = False
        while (self._under_way or not ended) and not self._over:
            full_for = self._line.full_for()
            due = self._under_way[0][0] - time.monotonic() if self._under_way else None
            if due is not None and due <= 0:
                data = self._under_way.popleft()[1]
                self._size -= len(data)
                self._to.sendall(data)
                continue
            reading = not ended and not full_for and self._size < IN_FLIGHT
            waits = [due] if due is not None else []
            if not ended and full_for:
                waits.append(full_for)
            wait = min(waits) if waits else None
            if not select.select([self._source] if reading else [], [], [], wait)[0]:
                continue
            try:
                data = self._source.recv(self._most())
            except ConnectionResetError:
                data, reset = b"", True
            if not data:
                ended = True
                continue
            self._size += len(data)
            self._read += len(data)
            self._under_way.append((self._line.carry(len(data)), data))
        return reset

    def _most(self) -> int:
        """Return how much to read at a time: a slice, and nothing beyond the end of a write."""
        while self.ends and self.ends[0] <= self._read:
            self.ends.popleft()
        most = self._line.slice
        return min(most, self.ends[0] - self._read) if self.ends else most


def _connected(buffer: int) -> tuple[socket.socket, socket.socket]:
    """Return two ends of a TCP connection within this process. A reset at one reaches the other."""
    with socket.create_server(("127.0.0.1", 0), backlog=1) as listener:
        # Before the connection, or the window is agreed on without it: what waits here would be
        # sent as far as the camera can see.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        near = socket.socket()
        near.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        near.connect(listener.getsockname())
        while True:
            far, address = listener.accept()
            if address == near.getsockname():
                break
            far.close()  # a stranger's
    for sock in (near, far):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return near, far


def _end_of_stream(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_WR)
    except OSError:
        pass
