"""Record the connections of sessions in a pcapng file that Wireshark opens.

Format: one section, one interface of raw IP packets, times in nanoseconds. `engine.tap` makes the
packets. Addresses are made up: this computer is 192.0.2.1 (RFC 5737), the first camera 192.0.2.2,
and the ports are the usual ones, so that Wireshark knows what they mean.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from .._version import __version__
from ..engine.channel import Channel
from ..engine.process import Owner
from ..engine.tap import Flow
from ..engine.wire import Builder
from ..ownership import files
from ..ptp.arguments import path_of, switches
from .packets import has_containers
from .redaction import Redactor
from .tapped import Book, TappedChannel

if TYPE_CHECKING:
    from ..engine.sink import Descriptor

log: logging.Logger = logging.getLogger("ptpfast")

PROGRAM = "ptpfast"
LINK_RAW_IP = 101  # LINKTYPE_RAW
US = bytes((192, 0, 2, 1))
FIRST_CAMERA, MOST_CAMERAS = 2, 250
FIRST_PORT, LAST_PORT = 49152, 65535  # of this computer
_MODE = 0o600  # it may have been asked to keep names


class Trace:
    """A trace file. Several sessions may record in it at the same time.

    Args:
        path: the new file.
        payload: keep the bytes of pictures, thumbnails and live view frames, too. Without it, only
            their length is recorded.
        names: keep GUIDs, serial numbers and names, instead of replacing them.

    Raises:
        FileExistsError: the file exists. No file is replaced.
        OSError: the file cannot be made.
        TypeError, ValueError: an argument is wrong.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, payload: bool = False, names: bool = False
    ) -> None:
        switches(payload=payload, names=names)
        self.path: Path = path_of("trace", path)
        self._redactor = None if names else Redactor()
        self._payload = payload
        self._owner = Owner("trace")
        self._lock = threading.RLock()
        self._cameras: dict[str, int] = {}
        self._connections = 0
        self._size = 0
        self._file: Descriptor | None = files.create(os.fspath(self.path), _MODE)
        self._write(_beginning(payload=payload, names=names))

    def tapped(self, channel: Channel, host: str, port: int) -> Channel:
        """Return a channel that does what the given one does, and is recorded."""
        with self._lock:
            number = self._cameras.setdefault(host, len(self._cameras) % MOST_CAMERAS)
            ours = FIRST_PORT + self._connections % (LAST_PORT - FIRST_PORT + 1)
            self._connections += 1
        # Not kept: it holds this object, and the file is closed with the last reference.
        book = Book(self.write, self._redactor, self._payload)
        camera = US[:3] + bytes((FIRST_CAMERA + number,))
        containers = has_containers(port)
        flow = Flow((US, ours), (camera, port), containers=containers)
        # It has the methods of a channel; the class itself is compiled, and final.
        return cast(Channel, TappedChannel(channel, flow, book, containers=containers))

    def write(self, blocks: bytes) -> None:
        """Add whole blocks. If the disk refuses, the trace ends, and the session goes on."""
        if blocks and self._owner.is_us:  # a forked child ends its copies of the connections
            with self._lock:
                self._write(blocks)

    def _write(self, blocks: bytes) -> None:
        if self._file is None:
            return
        try:
            left = memoryview(blocks)
            while left:
                left = left[os.write(self._file.number, left) :]
            self._size += len(blocks)
        except OSError as error:
            log.warning("the trace %s ends here: %s", self.path, error.strerror)
            try:  # a block that is cut would make it unreadable for some programs
                files.cut(self._file.number, self._size)
            except OSError as again:
                log.debug("its last block is cut: %s", again)
            self.close()

    def close(self) -> None:
        """End the trace. Sessions that still record in it go on without."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def __enter__(self) -> Trace:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def opened(trace: Any, *, payload: bool = False, names: bool = False) -> Trace | None:
    """Return the trace of an argument: a path, an open trace, or None. Raises as `Trace`."""
    switches(trace_payload=payload, trace_names=names)
    if trace is None or isinstance(trace, Trace):
        if payload or names:
            raise ValueError("trace_payload and trace_names need trace, as the path of a file")
        return trace
    return Trace(trace, payload=payload, names=names)


@contextmanager
def held(trace: Any) -> Iterator[Trace | None]:
    """Yield the trace of an argument, for several connections; a path's is closed afterwards."""
    recorder = opened(trace)
    try:
        yield recorder
    finally:
        if recorder is not None and recorder is not trace:
            recorder.close()


def _option(builder: Builder, code: int, value: bytes) -> None:
    builder.u16(code)
    builder.u16(len(value))
    builder.payload(value + bytes(-len(value) % 4))


def _block(kind: int, body: Builder) -> bytes:
    block, length = Builder(), 12 + len(body)
    for number in (kind, length):
        block.u32(number)
    block.payload(bytes(body))
    block.u32(length)
    return bytes(block)


def _beginning(*, payload: bool, names: bool) -> bytes:
    """Return the section header and the interface description."""
    comment = (
        f"{'all payload' if payload else 'pictures cut'}; "
        f"{'names kept' if names else 'GUIDs, serial numbers and names replaced'}; "
        "addresses, ports and TCP made up"
    )
    section, interface = Builder(), Builder()
    section.u32(0x1A2B3C4D)
    section.u32(1)  # version 1.0
    section.u64(0xFFFFFFFFFFFFFFFF)  # of unknown length
    _option(section, 1, comment.encode())
    _option(section, 4, f"{PROGRAM} {__version__}".encode())
    _option(section, 0, b"")
    interface.u32(LINK_RAW_IP)
    interface.u32(0)  # packets of any length
    _option(interface, 2, PROGRAM.encode())
    _option(interface, 9, b"\x09")  # times in nanoseconds
    _option(interface, 0, b"")
    return _block(0x0A0D0D0A, section) + _block(1, interface)
