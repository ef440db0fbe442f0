"""A further TCP connection to a camera, which only sends: live view frames of some bodies."""

from __future__ import annotations

import select
import socket
import time

from ..ptp.errors import ConnectFailed, ConnectionLost, LimitReached, ProtocolError, Timeout
from .contract import Address

LENGTH_SIZE = 4
_RECEIVE = 1 << 16
MOST_SKIPPED = 1000  # receives: a camera that sends without end is not waited for
_RETRY_S = 0.1  # as libgphoto2 (fujiptpip.c) pauses after a refused connection


class SideConnection:
    """Packets that begin with their length (u32, counting itself), up to `largest` bytes each."""

    def __init__(self, sock: socket.socket, largest: int) -> None:
        self._sock = sock
        self._largest = largest
        self._buffer = bytearray()

    @classmethod
    def open(cls, address: Address, timeout_s: float, largest: int) -> SideConnection:
        """Connect; a refused connection is retried for `timeout_s` seconds.

        Raises:
            ConnectFailed: nothing answers.
        """
        give_up = time.monotonic() + timeout_s
        while True:
            left = give_up - time.monotonic()
            try:
                return cls(socket.create_connection(address, timeout=max(left, 0.05)), largest)
            except ConnectionRefusedError as error:
                if left <= _RETRY_S:
                    raise ConnectFailed(f"nothing listens at {address}") from error
            except OSError as error:
                if (limit := LimitReached.of(error)) is not None:
                    raise limit from error
                raise ConnectFailed(f"no answer from {address}: {error}") from error
            time.sleep(_RETRY_S)

    def skip(self) -> None:
        """Drop the packets that have arrived. Raises as `receive`, without Timeout."""
        for _ in range(MOST_SKIPPED):
            while self._cut() is not None:
                pass
            if not select.select([self._sock], [], [], 0)[0]:
                return
            self._take(0.0)

    def receive(self, timeout_s: float) -> bytes:
        """Return the next packet without its length.

        Raises:
            Timeout: it did not come in time.
            ConnectionLost: the camera closed the connection.
            ProtocolError: a packet claims an impossible length.
        """
        give_up = time.monotonic() + timeout_s
        while (packet := self._cut()) is None:
            left = give_up - time.monotonic()
            if left <= 0:
                raise Timeout("no live view frame came in time")
            self._take(left)
        return packet

    def newest(self, timeout_s: float) -> bytes:
        """Return the last packet that has arrived; wait for one if there is none. As `receive`."""
        packet = self.receive(timeout_s)
        for _ in range(MOST_SKIPPED):
            while (later := self._cut()) is not None:
                packet = later
            if not select.select([self._sock], [], [], 0)[0]:
                break
            self._take(0.0)
        return packet

    def _cut(self) -> bytes | None:
        """Return the first packet of the buffer, if it is whole."""
        if len(self._buffer) < LENGTH_SIZE:
            return None
        length = int.from_bytes(self._buffer[:LENGTH_SIZE], "little")
        if not LENGTH_SIZE <= length <= self._largest:
            raise ProtocolError(f"a live view frame claims a length of {length}")
        if len(self._buffer) < length:
            return None
        packet = bytes(self._buffer[LENGTH_SIZE:length])
        del self._buffer[:length]
        return packet

    def _take(self, timeout_s: float) -> None:
        self._sock.settimeout(timeout_s)
        try:
            data = self._sock.recv(_RECEIVE)
        except (TimeoutError, BlockingIOError) as error:
            raise Timeout("no live view frame came in time") from error
        except OSError as error:
            raise ConnectionLost(f"the live view connection ended: {error}") from error
        if not data:
            raise ConnectionLost("the camera closed the live view connection")
        self._buffer += data

    def close(self) -> None:
        """End the connection."""
        self._sock.close()
