"""The pieces of work: what ptpfast does to bytes, each beside the same in plain Python.

Each is checked against the expected result before it is timed or counted. `per` says what of it the
figures are for.
"""

from __future__ import annotations

import os
import struct
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ptpfast import CallbackSink, FileSink, MemorySink, ObjectInfo, ObjectTable
from ptpfast.engine.framing import DataPhase
from ptpfast.engine.wire import (
    Data,
    EndData,
    OperationRequest,
    OperationResponse,
    StartData,
    pack,
    parse,
)
from ptpfast.ptp.datasets import ObjectInfoDataset, decode, decode_array, encode, encode_array

from ..content import expected

PAYLOAD = 1 << 20
READ = 1 << 18  # as much as one read of the engine's ring
PACKETS = {"512 B": 512, "8 KiB": 8192, "64 KiB": 65536}
HANDLES = 10_000
OK = 0x2001
TRANSACTION_ID = 7


@dataclass(frozen=True)
class Work:
    """`ours` and the same in plain Python; both return something that must equal `right`."""

    name: str
    ours: Callable[[], object]
    plain: Callable[[], object]
    right: object
    units: int
    per: str
    repeat: int = 5  # when it is counted: what is small has to become what Python makes of it


@cache
def payload() -> bytes:
    """What is in the data phases."""
    return b"".join(expected(1, at, READ).tobytes() for at in range(0, PAYLOAD, READ))


@cache
def reads(packet: int) -> tuple[bytes, ...]:
    """A data phase with its response, in Data packets of so many bytes, as reads of a socket."""
    pieces = [payload()[at : at + packet - 12] for at in range(0, PAYLOAD, packet - 12)]
    packets = [pack(StartData(TRANSACTION_ID, PAYLOAD))]
    packets += [pack(Data(TRANSACTION_ID, piece)) for piece in pieces[:-1]]
    packets += [pack(EndData(TRANSACTION_ID, pieces[-1]))]
    stream = b"".join([*packets, pack(OperationResponse(OK, TRANSACTION_ID))])
    return tuple(stream[at : at + READ] for at in range(0, len(stream), READ))


def receive(phase: DataPhase, packet: int) -> None:
    """Feeds a data phase to its end."""
    for read in reads(packet):
        phase.feed(read)
    assert phase.done


def plain_pieces(packet: int) -> list[memoryview]:
    """The payload pieces of a data phase, as plain Python finds them: read by read, heads that
    are cut kept for the next."""
    found = []
    kept, left = b"", 0
    for read in reads(packet):
        data = memoryview(kept + read if kept else read)
        at = 0
        while at < len(data):
            if left:
                piece = data[at : at + left]
                found.append(piece)
                left -= len(piece)
                at += len(piece)
                continue
            if len(data) - at < 12:
                break
            length, kind, _ = struct.unpack_from("<III", data, at)
            if kind in (10, 12):
                left = length - 12
                at += 12
            else:
                at += length
        kept = bytes(data[at:])
    return found


def data_phase(name: str) -> Work:
    """Into memory, with packets of one size."""
    packet = PACKETS[name]
    ours_into, plain_into = bytearray(PAYLOAD), bytearray(PAYLOAD)

    def ours() -> object:
        receive(DataPhase(TRANSACTION_ID, MemorySink(ours_into), limit=PAYLOAD), packet)
        return ours_into

    def plain() -> object:
        at = 0
        for piece in plain_pieces(packet):
            plain_into[at : at + len(piece)] = piece
            at += len(piece)
        return plain_into

    return Work(f"data phase, {name} packets", ours, plain, payload(), 1, "a MiB")


def file_sink(directory: Path) -> Work:
    """Into a file, with what of it is written in one call."""
    packet = PACKETS["64 KiB"]
    ours_path, plain_path = directory / "ours", directory / "plain"

    def ours() -> object:
        sink = FileSink(ours_path, size=PAYLOAD)
        receive(DataPhase(TRANSACTION_ID, sink, limit=PAYLOAD), packet)
        sink.finish(sync=False)
        return ours_path

    def plain() -> object:
        with plain_path.open("wb", buffering=0) as file:
            for piece in plain_pieces(packet):
                file.write(piece)
        return plain_path

    return Work("file sink, 64 KiB packets", ours, plain, payload(), 1, "a MiB")


def callback_sink() -> Work:
    """To a callback, in pieces of 64 KiB."""
    packet, chunk = PACKETS["8 KiB"], 1 << 16
    ours_got: list[bytes] = []
    plain_got: list[bytes] = []

    def ours() -> object:
        ours_got.clear()
        sink = CallbackSink(lambda piece: ours_got.append(bytes(piece)), chunk_size=chunk)
        receive(DataPhase(TRANSACTION_ID, sink, limit=PAYLOAD), packet)
        sink.finish()
        return ours_got

    def plain() -> object:
        plain_got.clear()
        gathered = bytearray()
        for piece in plain_pieces(packet):
            gathered += piece
            while len(gathered) >= chunk:
                plain_got.append(bytes(gathered[:chunk]))
                del gathered[:chunk]
        return plain_got

    return Work("callback sink, 8 KiB packets", ours, plain, payload(), 1, "a MiB")


def packets() -> Work:
    """An Operation Request packed, its response parsed."""
    response = pack(OperationResponse(OK, TRANSACTION_ID, (1, 2)))

    def ours() -> object:
        request = pack(OperationRequest(1, 0x101B, TRANSACTION_ID, (1, 2, 3)))
        answer = parse(response)
        assert isinstance(answer, OperationResponse)
        return request, *answer

    def plain() -> object:
        request = struct.pack("<IIIHI3I", 30, 6, 1, 0x101B, TRANSACTION_ID, 1, 2, 3)
        code, transaction_id = struct.unpack_from("<HI", response, 8)
        return request, code, transaction_id, struct.unpack_from("<2I", response, 14)

    return Work(
        "packets, a request and its response", ours, plain, plain(), 1, "a transaction", 200
    )


def object_info() -> Work:
    """One ObjectInfo dataset."""
    whole = ObjectInfoDataset(
        0x00010001, 0x3000, 0, 25_000_000, 0x3808, 9000, 160, 120, 6000, 4000, 42, 5, 0, 0, 3,
        "DSC_0001.NEF", "20260102T030405", "20260102T030406", "",
    )  # fmt: skip
    data = encode(whole)

    def plain() -> object:
        numbers = struct.unpack_from("<IHHIHIIIIIIIHII", data)
        strings, at = [], 52
        for _ in range(4):
            end = at + 1 + 2 * data[at]
            strings.append(data[at + 1 : end].decode("utf-16-le").rstrip("\0"))
            at = end
        return ObjectInfoDataset(*numbers, *strings)

    def ours() -> object:
        return decode(ObjectInfoDataset, data)

    return Work("ObjectInfo", ours, plain, whole, 1, "a dataset", 200)


def handles() -> Work:
    """A list of object handles."""
    right = list(range(1, HANDLES + 1))
    data = encode_array(right)

    def plain() -> object:
        return list(struct.unpack_from(f"<{struct.unpack_from('<I', data)[0]}I", data, 4))

    return Work("handles", lambda: decode_array(data), plain, right, HANDLES, "a handle")


def table() -> Work:
    """The RAW files of a listing, and how many bytes they have."""
    objects = [
        ObjectInfo(n, f"DSC_{n:05}.{'NEF' if n % 2 else 'JPG'}", "", n, 0x3000)
        for n in range(HANDLES)
    ]
    right = (HANDLES // 2, sum(range(1, HANDLES, 2)))

    def ours() -> object:
        listing = ObjectTable(objects)
        raws = listing[listing.is_raw]
        return len(raws), int(raws.size.sum())

    def plain() -> object:
        raws = [o for o in objects if o.is_raw]
        return len(raws), sum(o.size or 0 for o in raws)

    return Work("table of 10,000, RAW files selected", ours, plain, right, HANDLES, "an object")


@cache
def _directory() -> tempfile.TemporaryDirectory[str]:
    """For the file sink; goes when the process ends."""
    parent = "/dev/shm" if os.path.isdir("/dev/shm") else None
    return tempfile.TemporaryDirectory(prefix="ptpfast-bench-", dir=parent)


@cache
def works() -> dict[str, Work]:
    """All of them by name."""
    found = [
        *(data_phase(name) for name in PACKETS),
        file_sink(Path(_directory().name)),
        callback_sink(),
        packets(),
        object_info(),
        handles(),
        table(),
    ]
    return {work.name: work for work in found}


def result(outcome: object, right: object) -> object:
    """What came of a piece of work, in the form of what is right: sinks show their bytes."""
    if isinstance(outcome, Path):
        return outcome.read_bytes()
    if isinstance(right, bytes) and isinstance(outcome, list):
        return b"".join(outcome)
    return outcome


def check(work: Work) -> None:
    """AssertionError unless both ways give what is right."""
    for way in (work.ours, work.plain):
        assert result(way(), work.right) == work.right, work.name
