"""The plain Python contender: `recv_into` in a loop, `struct`, a file. No numpy, nothing compiled.

    python -m bench.contenders.recv_into --port N --into file|memory [--host H] [--dir D]
        [--chunk BYTES]

What somebody who knows sockets writes in an afternoon for one well-behaved camera, and then it is
fast enough to be asked what a compiled engine adds: payload is received into one buffer that is
used again (or straight into the destination), packet heads are read by themselves. The same
operations and the same work on files as peers/initiator.c.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path

from ..peers import RUN_S
from .cost import SETTLE_S, Cost, memory_kib

HEAD, PREFIX = 12, 8
INIT_COMMAND, INIT_EVENT, OPERATION, RESPONSE, START_DATA, DATA, END_DATA = 1, 3, 6, 7, 9, 10, 12
OK = 0x2001
FOLDER = 0x3001
BUFFER = 1 << 20

Take = Callable[[int], None]


class Initiator:
    """One camera: both connections, and transactions whose payload `take` fetches."""

    def __init__(self, host: str, port: int) -> None:
        self._sock = self._connect(host, port)
        name = "loop".encode("utf-16-le") + b"\0\0"
        self._send(self._sock, INIT_COMMAND, b"recv_into.......", name, struct.pack("<I", 0x10000))
        number = self._packet(self._sock)[:4]
        self._event = self._connect(host, port)
        self._send(self._event, INIT_EVENT, number)
        self._packet(self._event)
        self._buffer = memoryview(bytearray(BUFFER))
        self._transaction_id = 0
        self.reads = 0
        self.transact(0x1002, 1)

    @staticmethod
    def _connect(host: str, port: int) -> socket.socket:
        sock = socket.create_connection((host, port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    @staticmethod
    def _send(sock: socket.socket, kind: int, *parts: bytes) -> None:
        body = b"".join(parts)
        sock.sendall(struct.pack("<II", PREFIX + len(body), kind) + body)

    def _packet(self, sock: socket.socket) -> bytes:
        length, _ = struct.unpack("<II", sock.recv(PREFIX, socket.MSG_WAITALL))
        return sock.recv(length - PREFIX, socket.MSG_WAITALL) if length > PREFIX else b""

    def close(self) -> None:
        """CloseSession, and the connections."""
        self.transact(0x1003)
        self._event.close()
        self._sock.close()

    def transact(self, code: int, *parameters: int, take: Take | None = None) -> None:
        """One operation; `take(size)` is called for each piece of payload that follows."""
        transaction_id = self._transaction_id
        self._transaction_id += 1
        head = struct.pack("<IHI", 1, code, transaction_id)
        self._send(self._sock, OPERATION, head, struct.pack(f"<{len(parameters)}I", *parameters))
        packet = bytearray(HEAD)
        while True:
            self._sock.recv_into(packet, HEAD, socket.MSG_WAITALL)
            self.reads += 1
            length, kind = struct.unpack_from("<II", packet)
            if kind in (DATA, END_DATA):
                if length > HEAD and take is not None:
                    take(length - HEAD)
                continue
            rest = self._sock.recv(length - HEAD, socket.MSG_WAITALL)
            self.reads += 1
            if kind == RESPONSE:
                if (answer := struct.unpack_from("<H", packet, PREFIX)[0]) != OK:
                    raise RuntimeError(f"0x{code:04X} was answered 0x{answer:04X}")
                return
            if kind != START_DATA or not rest:
                raise RuntimeError(f"a packet of type {kind} in a data phase")

    def into(self, view: memoryview) -> Take:
        """Payload straight into memory, piece after piece."""
        at = 0

        def take(size: int) -> None:
            nonlocal at
            end = at + size
            while at < end:
                at += self._received(view[at:end])

        return take

    def into_file(self, file: int) -> Take:
        """Payload through the buffer into a file."""

        def take(size: int) -> None:
            while size:
                got = self._received(self._buffer[:size])
                if os.write(file, self._buffer[:got]) != got:
                    raise OSError("a short write")
                size -= got

        return take

    def _received(self, view: memoryview) -> int:
        got = self._sock.recv_into(view)
        self.reads += 1
        if not got:
            raise ConnectionError("the connection ended")
        return got

    def dataset(self, code: int, *parameters: int) -> bytes:
        """A small data-in phase."""
        buffer = memoryview(bytearray(1 << 20))
        self.transact(code, *parameters, take=self.into(buffer))
        return bytes(buffer)

    def objects(self) -> list[tuple[int, str, int]]:
        """Handle, name and size of every file."""
        found = []
        handles = self.dataset(0x1007, 0xFFFFFFFF, 0, 0)
        for handle in struct.unpack_from(f"<{struct.unpack_from('<I', handles)[0]}I", handles, 4):
            info = self.dataset(0x1008, handle)
            if struct.unpack_from("<H", info, 4)[0] == FOLDER:
                continue
            name = info[53 : 53 + 2 * info[52]].decode("utf-16-le").rstrip("\0")
            found.append((handle, name, struct.unpack_from("<I", info, 8)[0]))
        return found

    def read(self, handle: int, size: int, chunk: int, take: Take) -> None:
        """One object: GetObject, or GetPartialObject in chunks."""
        if not chunk:
            self.transact(0x1009, handle, take=take)
        for at in range(0, size if chunk else 0, chunk or 1):
            self.transact(0x101B, handle, at, min(chunk, size - at), take=take)

    def download(self, handle: int, size: int, chunk: int, path: Path) -> None:
        """One object into a file, with what the C program does: room, fsync, rename, fsync."""
        part = path.with_name(path.name + ".part")
        file = os.open(part, os.O_WRONLY | os.O_CREAT, 0o666)
        os.posix_fallocate(file, 0, size)
        self.read(handle, size, chunk, self.into_file(file))
        os.fsync(file)
        os.close(file)
        part.rename(path)
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


def main() -> None:
    """Runs as the options say and prints the report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--into", choices=["file", "memory"], required=True)
    parser.add_argument("--dir", type=Path, default=Path())
    parser.add_argument("--chunk", type=int, default=0)
    options = parser.parse_args()
    signal.alarm(RUN_S)
    cost = Cost()
    camera = Initiator(options.host, options.port)
    objects = camera.objects()
    time.sleep(SETTLE_S)
    came: dict[int, bytearray] = {}
    for handle, name, size in objects:
        if options.into == "memory":
            came[handle] = bytearray(size)
        with cost.measured(lambda: camera.reads):
            if options.into == "file":
                camera.download(handle, size, options.chunk, options.dir / name)
            else:
                camera.read(handle, size, options.chunk, camera.into(memoryview(came[handle])))
    camera.close()
    peak = memory_kib("VmHWM")
    compare(came)
    cost.report(sum(size for _, _, size in objects), peak_kib=peak)


def compare(came: dict[int, bytearray]) -> None:
    """What is in memory is checked here, after the peak was read: the check needs numpy."""
    import numpy as np

    from ..content import check_buffer

    for handle, data in came.items():
        check_buffer(handle, np.frombuffer(data, np.uint8))


if __name__ == "__main__":
    main()
