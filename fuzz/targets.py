"""What is fuzzed: each target takes any bytes, gives them to a parser, and checks what it says.

A value, or the parser's own error, is right; where the tests' oracle reads the same thing, it must
say the same. AssertionError or any other exception is a finding, and so is what a sanitizer says.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import astuple, dataclass
from functools import partial
from typing import Any

import numpy

import oracle
import vectors
from ptpfast.engine.containers import pack as pack_container
from ptpfast.engine.text import printable
from ptpfast.engine.wire import Cursor, pack, parse
from ptpfast.library.plan import naming
from ptpfast.ptp.datasets import (
    DeviceInfo,
    ObjectInfoDataset,
    StorageInfo,
    decode,
    decode_array,
    decode_prop_desc,
    encode,
    encode_prop_desc,
    format_date_time,
    parse_date_time,
    read_value,
)
from ptpfast.ptp.errors import ProtocolError
from ptpfast.vendors.nikon import datasets as nikon

from . import of_canon, of_fujifilm, of_nikon, of_panasonic, of_raw, of_sony
from .phases import CONTAINERS, HEAD, channel, data_phase

_NUMBERS = [f"{sign}{8 << power}" for sign in "ui" for power in range(5)]
_LETTERS = dict(zip([*_NUMBERS, "string"], "BHIQObhiqoS", strict=True))


def _exact(data: bytes) -> Any:
    """A buffer that ends where the data ends: bytes objects have a NUL more, which would hide a
    read of one byte too many."""
    return numpy.frombuffer(data, numpy.uint8).copy()


def _both(read: Callable[[], Any], read_oracle: Callable[[], Any]) -> tuple[Any, Any] | None:
    """What both have read; None when both refuse. Nothing else may happen."""
    try:
        expected = read_oracle()
    except oracle.LayoutError:
        expected = None
    try:
        value = read()
    except ProtocolError as error:
        assert expected is None
        assert error.message
        return None
    assert expected is not None
    return value, expected


def packets(data: bytes) -> None:
    """`wire.parse`, and `pack` back."""
    if both := _both(lambda: parse(_exact(data)), lambda: oracle.read_packet(data)):
        packet, (number, values) = both
        assert packet.packet_type == number
        assert [bytes(v) if isinstance(v, memoryview) else v for v in packet] == values
        assert parse(pack(packet)) == packet


_CLASSES = (DeviceInfo, StorageInfo, ObjectInfoDataset)


def datasets(data: bytes) -> None:
    """Everything `datasets` and the vendors read; the first byte says what."""
    if not data:
        return
    which, body = data[0] % (len(_CLASSES) + 4), data[1:]
    if which < len(_CLASSES):
        _dataset(_CLASSES[which], body)
    else:
        (_prop_desc, _array, _value, _events)[which - len(_CLASSES)](body)


def _dataset(cls: type[Any], body: bytes) -> None:
    letters = oracle.DATASETS[cls.__name__]
    both = _both(lambda: decode(cls, _exact(body)), lambda: oracle.Reader(body).values(letters))
    if both:
        dataset, expected = both
        assert list(astuple(dataset)) == expected
        assert decode(cls, encode(dataset)) == dataset


def _prop_desc(body: bytes) -> None:
    both = _both(lambda: decode_prop_desc(_exact(body)), lambda: oracle.read_prop_desc(body))
    if both:
        desc, expected = both
        assert list(astuple(desc)) == expected
        assert decode_prop_desc(encode_prop_desc(desc)) == desc


def _array(body: bytes) -> None:
    kind = sorted(_LETTERS)[body[0] % len(_LETTERS)] if body else "u32"
    letter, body = _LETTERS[kind] + "*", body[1:]
    if body:
        both = _both(
            lambda: decode_array(_exact(body), kind), lambda: oracle.Reader(body).value(letter)
        )
        assert both is None or both[0] == both[1]


def _value(body: bytes) -> None:
    data_type, body = int.from_bytes(body[:2], "little"), body[2:]
    letter = oracle.DATA_TYPES.get(data_type)

    def expected() -> Any:
        if letter is None:
            raise oracle.LayoutError
        return oracle.Reader(body).value(letter)

    both = _both(lambda: read_value(Cursor(_exact(body)), data_type), expected)
    assert both is None or both[0] == both[1]


def _events(body: bytes) -> None:
    for read in (nikon.parse_events, nikon.parse_events_ex):
        try:
            events = read(_exact(body))
        except ProtocolError:
            continue
        assert 6 * len(events) <= len(body) or read is nikon.parse_events_ex
        for code, parameters in events:
            assert 0 <= code <= 0xFFFF
            assert all(0 <= parameter <= 0xFFFFFFFF for parameter in parameters)


_READS = [*sorted(_LETTERS), "nul_string", "guid", "version", "reason", "total", "parameters"]
_READS += ["payload", "take", "array"]


def cursor(data: bytes) -> None:
    """`Cursor`: any reads in any order. None passes the end, and one that fails does not move."""
    if not data:
        return
    count = data[0] % 16
    reads, body = data[1 : 1 + count], data[1 + count :]
    reader = Cursor(_exact(body))
    for number in reads:
        name, before = _READS[number % len(_READS)], reader.offset
        arguments = {"take": (number,), "array": (sorted(_LETTERS)[number % len(_LETTERS)],)}
        try:
            value = getattr(reader, name)(*arguments.get(name, ()))
        except ProtocolError as error:
            assert reader.offset == before
            assert before <= error.offset <= len(body)
        else:
            assert before <= reader.offset
            if name in ("payload", "take"):
                assert bytes(value) == body[before : reader.offset]
        assert reader.offset + reader.remaining == len(body)


_SEPARATORS = set('/\\:*?"<>|\0')
# The parts of names that may confuse a parser.
_PIECES = [*"aAkK.-~_ /\\:\0\n\r\t\x1b\x7f\x9b#%", "..", "../", "con", "NUL", "lpt1", "a" * 50]
_PIECES += ["́", "ͅ", "K", "ſ", "ﬅ", "ᾼ", "ㅤ", "️", "\u202e", "\u200d", "¹"]
_PIECES += ["\u2028", "\u3000", "\xa0", "\U0001f44d", "\u65e5", "\uac00", "e\u0301", "\udc80"]
_PIECES += [".part", ".json", ".part.json", "SHA256SUMS", "-1", "-10", ".NEF", "x" * 17]


def text_of(data: bytes) -> str:
    """Each byte a piece of a name, or with the next one any character."""
    parts, at = [], 0
    while at < len(data):
        if data[at] < 128:
            parts.append(_PIECES[data[at] % len(_PIECES)])
        else:
            parts.append(chr(int.from_bytes(data[at + 1 : at + 3], "big")))
            at += 2
        at += 1
    return "".join(parts)


def names(data: bytes) -> None:
    """What becomes of a camera's text: local names, numbers behind them, words for a terminal."""
    check_name(text_of(data))


def check_name(text: str) -> None:
    """All that must hold of the local name and of the printable form of a camera's text."""
    name = naming.local_name(text)
    for made in (name, naming.numbered(name, 1 + len(text)), naming.numbered(name, 10**6)):
        assert 0 < len(made.encode()) <= naming.MAX_NAME_BYTES
        assert made not in (".", "..")
        assert not _SEPARATORS & set(made)
        assert made[0] not in " .-~"
        assert made[-1] not in " ."
        assert printable(made) == made
        assert unicodedata.is_normalized("NFC", made)
        assert naming.local_name(made) == made  # nothing is left to be made safe
    assert naming.base_name(naming.numbered(name, 7)) in naming.numbered_bases(name)
    shown = printable(text)
    assert shown.isprintable() or not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in shown)
    assert len(shown.splitlines()) <= 1


def dates(data: bytes) -> None:
    """A camera's dates."""
    moment = parse_date_time(data.decode("latin-1"))
    if moment is not None:
        assert parse_date_time(format_date_time(moment)) == moment.replace(microsecond=0)


@dataclass(frozen=True)
class Target:
    """One thing to fuzz: what is run, inputs to begin with, how long an input may become, and the
    Python functions whose branches are to be counted too (compiled ones always are)."""

    run: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]
    max_length: int = 400
    python: tuple[Callable[..., Any], ...] = ()


def _vectors_of_packets() -> list[bytes]:
    return [vector.data for vector in vectors.PACKETS.values()]


def _vectors_of_datasets() -> list[bytes]:
    return [
        bytes([which]) + vector.data
        for vector in vectors.DATASETS.values()
        for which in range(len(_CLASSES) + 4)
    ]


def _phases() -> list[bytes]:
    """Data phases of every shape a camera sends, each with a head that says how to drive it."""
    payload = bytes(range(256)) * 40
    response = oracle.write_packet(7, (0x2001, 7, ()))
    streams = []
    for size, piece in ((0, 1), (5, 2), (300, 100), (10_000, 10_000), (9000, 3000)):
        data = [payload[at : min(at + piece, size)] for at in range(0, size, piece)]
        middle = b"".join(oracle.write_packet(10, (7, part)) for part in data)
        for total in (size, None):
            start = oracle.write_packet(9, (7, total))
            streams.append(start + middle + oracle.write_packet(12, (7, b"")) + response)
        streams.append(oracle.write_packet(12, (7, payload[:size])) + response)
    streams += [
        oracle.write_packet(13, ()) * 3 + response,
        oracle.write_packet(8, (0x4002, 0, (1,))) + response + b"rest",
        oracle.write_packet(10, (6, b"stale")) + response,
    ]
    return [bytes([n, n, 255, n * 5]) + stream for n, stream in enumerate(streams)]


def _containers() -> list[bytes]:
    payload = bytes(range(256)) * 50
    response = pack_container(3, 0x2001, 7, (1,))
    streams = [
        pack_container(2, 0x1009, 7, payload=payload[:size]) + response
        for size in (0, 1, 300, 10_000)
    ]
    streams += [
        response,
        pack_container(4, 0x4002, 0, (1,)) + response + b"rest",
        pack_container(2, 0x1009, 6, payload=b"stale") + streams[2],
    ]
    return [bytes([n, n, 255, n * 5]) + stream for n, stream in enumerate(streams)]


TARGETS = {
    "packets": Target(packets, _vectors_of_packets),
    "datasets": Target(
        datasets,
        _vectors_of_datasets,
        python=(decode_prop_desc, read_value, nikon.parse_events, nikon.parse_events_ex),
    ),
    "eos": Target(of_canon.eos, of_canon.seeds, 800, python=of_canon.PYTHON),
    "sony": Target(
        of_sony.run,
        of_sony.seeds,
        python=tuple(parse for parse, _ in of_sony.PARSERS),
    ),
    "cursor": Target(cursor, lambda: [b"\x04\x00\x01\x02\x03" + v for v in _vectors_of_packets()]),
    "data_phase": Target(data_phase, _phases, 12_000),
    "channel": Target(channel, _phases, 24_000),
    "containers": Target(partial(data_phase, framing=CONTAINERS), _containers, 12_000),
    "container_channel": Target(partial(channel, framing=CONTAINERS), _containers, 24_000),
    "fujifilm": Target(of_fujifilm.answers, of_fujifilm.seeds, python=of_fujifilm.PYTHON),
    "panasonic": Target(of_panasonic.answers, of_panasonic.seeds, python=of_panasonic.PYTHON),
    "nikon": Target(of_nikon.answers, of_nikon.seeds, 1200, python=of_nikon.PYTHON),
    "raw": Target(of_raw.run, of_raw.seeds, 1500, python=of_raw.PYTHON),
    "names": Target(
        names,
        lambda: [bytes(range(start, start + 8)) for start in range(0, 64, 8)],
        60,
        python=(naming.local_name, naming.numbered, naming.base_name, printable),
    ),
    "dates": Target(
        dates,
        lambda: [b"20260102T030405.0", b"19800000T000000", b"00010101T000000+1400"],
        60,
        python=(parse_date_time, format_date_time),
    ),
}
assert min(target.max_length for target in TARGETS.values()) > HEAD
