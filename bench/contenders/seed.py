"""The seed as a contender: the read loop of mmattes/ptpip 0.1.1, rendered in Python 3.

    python -m bench.contenders.seed --port N --objects N [--host H] [--dir D]

What it does on the wire and with the bytes is kept, defects too:

- a packet is a `recv` of four bytes taken for its length, then `recv`s until it is whole; a closed
  connection is not noticed (there the rendering ends by its alarm);
- an object is one GetObject, the only operation it can receive data for: handles must be known
  (they come from the camera's events; here they are counted up), there is no listing and no
  partial read;
- the transaction id is 6 in every request, the Init Command Request has no version and a name of
  8-bit characters, a session's id is the connection number: cameras that mind are out of its reach;
- a whole packet is copied three times before anybody sees its payload;
- of an object in Data packets the first one's payload is taken twice and End Data's dropped. Its
  length is then not the announced one and the object is silently forgotten: only what comes in a
  single End Data packet, as from the Nikon body it was written for, ever arrives;
- whoever uses it writes the file: in one piece, when all of it is in memory.

Left out, because they are no part of reading: a pause of one second after every command (with it
nothing here would end), what it prints for each packet, and its keep-alive.

Changed, because Python 3 would be unjust to it: buffers grow as `bytearray`. Python 2 extends a
`str` in place in the statements concerned; `bytes` would be copied for every `recv`. Integers have
four bytes, little-endian, which is what `struct`'s `L` was on the systems it worked on.
"""

from __future__ import annotations

import argparse
import signal
import socket
import struct
import time
import uuid
from pathlib import Path

from ..peers import RUN_S
from .cost import SETTLE_S, Cost

INIT_COMMAND, INIT_EVENT, OPERATION = 1, 3, 6
START_DATA, DATA, END_DATA = 9, 10, 12
OPEN_SESSION, GET_OBJECT = 0x1002, 0x1009
TRANSACTION_ID = 6


class Packet:
    """What its factory makes of a packet: the type, and the rest copied out."""

    def __init__(self, data: bytearray) -> None:
        self.kind = struct.unpack("<I", data[0:4])[0]
        rest = data[4:]
        self.length = rest[4:8] if self.kind == START_DATA else b""
        self.data = rest[4:] if self.kind in (DATA, END_DATA) else bytearray()
        self.session_id = bytes(rest[0:4])


class Connection:
    """Its connection class, as far as objects are concerned."""

    def __init__(self, host: str, port: int) -> None:
        self.reads = 0
        self._command = self._connect(host, port)
        name = socket.gethostname().encode("ascii", "replace") + b"\0"
        request = struct.pack("<I", INIT_COMMAND) + uuid.uuid4().bytes + name
        session_id = self._exchange(self._command, request).session_id
        self._event = self._connect(host, port)
        self._exchange(self._event, struct.pack("<I", INIT_EVENT) + session_id)
        self._exchange(self._command, self._operation(OPEN_SESSION) + session_id)

    @staticmethod
    def _connect(host: str, port: int) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.connect((host, port))
        return sock

    @staticmethod
    def _operation(code: int) -> bytes:
        return struct.pack("<IIHI", OPERATION, 1, code, TRANSACTION_ID)

    @staticmethod
    def _send(sock: socket.socket, data: bytes) -> None:
        sock.send(struct.pack("<I", len(data) + 4) + data)

    def _receive(self, sock: socket.socket) -> bytearray:
        data = bytearray(sock.recv(4))
        self.reads += 1
        (length,) = struct.unpack("<I", data)
        while length > len(data):
            data += sock.recv(length - len(data))
            self.reads += 1
        return data[4:]

    def _exchange(self, sock: socket.socket, data: bytes) -> Packet:
        self._send(sock, data)
        return Packet(self._receive(sock))

    def object(self, handle: int) -> bytearray | None:
        """GetObject; None where the seed forgets what came, because it counts wrongly."""
        request = self._operation(GET_OBJECT) + struct.pack("<I", handle)
        reply = self._exchange(self._command, request)
        length, data = -1, bytearray()
        if reply.kind == START_DATA:
            length = struct.unpack("<I", reply.length)[0]
            reply = Packet(self._receive(self._command))
            data = reply.data
            while reply.kind == DATA:
                data += reply.data if data is not reply.data else bytes(data)
                reply = Packet(self._receive(self._command))
        self._receive(self._command)
        return data if len(data) == length else None


def main() -> None:
    """Fetches handles 1 to `--objects` into files and prints the report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--objects", type=int, required=True)
    parser.add_argument("--dir", type=Path, default=Path())
    options = parser.parse_args()
    signal.alarm(RUN_S)
    cost = Cost()
    connection = Connection(options.host, options.port)
    time.sleep(SETTLE_S)
    size = 0
    for handle in range(1, options.objects + 1):
        with cost.measured(lambda: connection.reads):
            data = connection.object(handle)
            if data is not None:
                (options.dir / f"DSC_{handle:04}.NEF").write_bytes(data)
                size += len(data)
    cost.report(size)


if __name__ == "__main__":
    main()
