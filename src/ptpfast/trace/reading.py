"""Read a trace of ptpfast: the segments of each connection, from a file that may hold anything.

Only what `recording` writes is read: one section, raw IPv4 packets, no retransmission. Everything
else raises TraceError with the byte at which it stands.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from ..engine.tap import CAMERA, US
from ..ownership.readback import open_regular
from .recording import LINK_RAW_IP, PROGRAM

MOST = 1 << 30  # bytes of a file: it is read into memory
_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_ORDER = 0x1A2B3C4D
_APPLICATION = 4  # the option with the program that wrote it
_EPB_SIZE = 20  # interface, time, captured length, length
_LONGEST = 1 << 17  # of a block
_IP_SIZE, _TCP_SIZE = 20, 20
_MOST_IP = 65535  # bytes of a packet
_SYN = 2


class TraceError(ValueError):
    """A file is no trace of ptpfast, or damaged. The message says where."""


class Segment(NamedTuple):
    """The payload of one TCP packet.

    Attributes:
        connection: this computer's port and the camera's address and port.
        side: `tap.US` or `tap.CAMERA`.
        kept: the bytes that the trace has.
        size: the bytes that were sent.
        opens: whether it begins the connection.
    """

    connection: tuple[int, bytes, int]
    side: int
    kept: bytes
    size: int
    opens: bool


def segments(path: str | os.PathLike[str]) -> Iterator[Segment]:
    """Yield the segments of a trace in the order of the file.

    Raises:
        TraceError: the file is no trace, or damaged.
        OSError: it cannot be read.
    """
    real = os.path.realpath(path)  # a link is the user's wish
    with open_regular(real) as held, open(held.number, "rb", closefd=False) as file:
        size = os.fstat(held.number).st_size
        if size > MOST:
            raise TraceError(f"the file is larger than {MOST >> 20} MiB")
        data = file.read(size)  # takes as much memory as it is asked for
    began = False
    for at, kind, body in _blocks(data):
        if kind == _SECTION:
            if began:
                raise TraceError(f"byte {at}: a second section")
            _check_section(body)
            began = True
        elif not began:
            raise TraceError("this is not a pcapng file")
        elif kind == _INTERFACE:
            if len(body) < 8 or _little(body, 0, 2) != LINK_RAW_IP:
                raise TraceError(f"byte {at}: an interface that ptpfast does not write")
        elif kind == _PACKET:
            segment = _segment(at, body)
            if segment.size or segment.opens:
                yield segment
    if not began:
        raise TraceError("the file is empty")


def _blocks(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    while at < len(data):
        if len(data) - at < 12:
            raise TraceError(f"byte {at}: the file is cut within a block")
        kind, length = _little(data, at, 4), _little(data, at + 4, 4)
        if not at and (kind != _SECTION or data[8:12] != _ORDER.to_bytes(4, "little")):
            raise TraceError("this is not a pcapng file of ptpfast")
        if not 12 <= length <= _LONGEST or length % 4:
            raise TraceError(f"byte {at}: a block claims a length of {length}")
        if at + length > len(data):
            raise TraceError(f"byte {at}: the file is cut within a block")
        if data[at + length - 4 : at + length] != data[at + 4 : at + 8]:
            raise TraceError(f"byte {at}: the two lengths of a block differ")
        yield at, kind, data[at + 8 : at + length - 4]
        at += length


def _check_section(body: bytes) -> None:
    at = 16
    while at + 4 <= len(body):
        code, size = _little(body, at, 2), _little(body, at + 2, 2)
        if code == _APPLICATION and body[at + 4 : at + 4 + size].startswith(PROGRAM.encode()):
            return
        at += 4 + size + -size % 4
    raise TraceError("this is not a trace that ptpfast has recorded")


def _segment(at: int, body: bytes) -> Segment:
    if len(body) < _EPB_SIZE:
        raise TraceError(f"byte {at}: a packet without a head")
    captured, length = _little(body, 12, 4), _little(body, 16, 4)
    packet = body[_EPB_SIZE : _EPB_SIZE + captured]
    sizes = (_IP_SIZE + _TCP_SIZE, captured, length, _MOST_IP)
    if len(packet) < captured or list(sizes) != sorted(sizes):
        raise TraceError(f"byte {at}: a packet claims {captured} of {length} bytes")
    if packet[0] != 0x45 or packet[9] != 6:
        raise TraceError(f"byte {at}: a packet that is not TCP over IPv4")
    tcp = packet[_IP_SIZE:]
    head = (tcp[12] >> 4) * 4
    if not _TCP_SIZE <= head <= len(tcp) or length - _IP_SIZE - head < 0:
        raise TraceError(f"byte {at}: a TCP head of {head} bytes")
    ports = int.from_bytes(tcp[:2], "big"), int.from_bytes(tcp[2:4], "big")
    hosts = packet[12:16], packet[16:20]
    side = US if hosts[0][3] == 1 else CAMERA
    ours, camera = (0, 1) if side == US else (1, 0)
    connection = (ports[ours], hosts[camera], ports[camera])
    opens = side == US and bool(tcp[13] & _SYN)
    return Segment(connection, side, tcp[head:], length - _IP_SIZE - head, opens)


def _little(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "little")
