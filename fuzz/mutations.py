"""What is done to the packets of an honest camera on their way out.

The bytes of a picture are special: when they change and keep their number, no protocol can tell,
because PTP has neither checksums nor sequence numbers. So the payload of an object is left alone as
a rule, and its packets are changed in ways that must show: heads, lengths, ids, totals, packets
lost, doubled, cut or put in between. What can make a wrong file all the same is noted as a risk for
that object, and then only its size is asked for:

- payload bytes that change, or packets of payload that change places;
- two changes in one data phase: a packet lost and another doubled make the right number again;
- payload lost or added in a data phase that does not come to its end, because the connection is
  lost or nothing more comes: the announced total would show it, but only at the end, and what came
  until then is kept to go on with. TCP loses nothing in the middle, and an honest camera does not
  leave bytes out;
- any change to a camera that announces no total, where End Data is all that says how many.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from ptpfast.engine import wire as wire
from ptpfast.ptp.codes import OperationCode, ResponseCode
from ptpfast.ptp.datasets import (
    DeviceInfo,
    ObjectInfoDataset,
    decode,
    decode_array,
    encode,
    encode_array,
)
from ptpfast.vendors.nikon.codes import NikonOperation

from .targets import text_of

READS = (
    OperationCode.GetObject,
    OperationCode.GetPartialObject,
    NikonOperation.GetPartialObjectEx,
)
PAYLOAD = (wire.PacketType.DATA, wire.PacketType.END_DATA)
HEAD = 12  # of Data and End Data; behind it are the payload's bytes
SMALL = (0, 1, 7, 8, 9, 11, 12, 13, 14, 20, 255, 256, 65_535, 65_536, 65_537)
NUMBERS = (*SMALL, 1 << 24, (1 << 31) - 1, 1 << 31, (1 << 32) - 2, (1 << 32) - 1)


@dataclass
class Record:
    """What was done in a session, in words; and the handles whose bytes may now be wrong."""

    done: list[str] = field(default_factory=list)
    risky: set[int] = field(default_factory=set)


def kind_of(raw: bytes) -> int:
    """The packet's type."""
    return int.from_bytes(raw[4:8], "little")


def _put(raw: bytes, at: int, value: int) -> bytes:
    return raw[:at] + (value & 0xFFFFFFFF).to_bytes(4, "little") + raw[at + 4 :]


def _with_length(raw: bytes) -> bytes:
    return _put(raw, 0, len(raw))


def _id_at(raw: bytes) -> int:
    """Where the transaction id stands: behind the code in a response and an event."""
    return 10 if kind_of(raw) in (wire.PacketType.OPERATION_RESPONSE, wire.PacketType.EVENT) else 8


# One packet in, what leaves instead out.
Change = Callable[[random.Random, bytes], list[bytes]]


def bits(chance: random.Random, raw: bytes) -> list[bytes]:
    """Some bits of its first fields are turned."""
    head = bytearray(raw)
    for _ in range(chance.randint(1, 3)):
        # Of a packet with payload only the head, of any other all there is.
        last = HEAD if kind_of(raw) in PAYLOAD else len(raw)
        head[chance.randrange(min(last, len(raw)))] ^= 1 << chance.randrange(8)
    return [bytes(head)]


def length(chance: random.Random, raw: bytes) -> list[bytes]:
    """It claims another length."""
    near = len(raw) + chance.choice((-12, -4, -1, 1, 4, 12))
    return [_put(raw, 0, chance.choice((near, chance.choice(NUMBERS))))]


def kind(chance: random.Random, raw: bytes) -> list[bytes]:
    """It is of another type."""
    return [_put(raw, 4, chance.choice((chance.randrange(20), chance.choice(NUMBERS))))]


def identity(chance: random.Random, raw: bytes) -> list[bytes]:
    """It is of another transaction."""
    at = _id_at(raw)
    ours = int.from_bytes(raw[at : at + 4], "little")
    return [
        _put(raw, at, chance.choice((ours - 1, ours + 1, 0, 0xFFFFFFFF, chance.choice(NUMBERS))))
    ]


def total(chance: random.Random, raw: bytes) -> list[bytes]:
    """Start Data announces another total, or in 32 bits; of others, the third field is changed."""
    if kind_of(raw) in PAYLOAD:
        return bits(chance, raw)
    announced = int.from_bytes(raw[12:16], "little")
    changed = _put(raw, 12, chance.choice((announced - 1, announced + 1, chance.choice(NUMBERS))))
    return [_with_length(changed[:16]) if chance.random() < 0.2 else changed]


def drop(chance: random.Random, raw: bytes) -> list[bytes]:
    """It is lost."""
    return []


def repeat(chance: random.Random, raw: bytes) -> list[bytes]:
    """It comes twice, or often."""
    return [raw] * chance.choice((2, 2, 3, 20))


def split(chance: random.Random, raw: bytes) -> list[bytes]:
    """Payload in two packets: nothing is wrong with that."""
    if kind_of(raw) not in PAYLOAD or len(raw) <= HEAD:
        return [raw]
    cut = chance.randint(HEAD, len(raw))
    first = _put(raw[:cut], 4, wire.PacketType.DATA)
    return [_with_length(first), _with_length(raw[:HEAD] + raw[cut:])]


def cut(chance: random.Random, raw: bytes) -> list[bytes]:
    """It ends early, and says so."""
    return [_with_length(raw[: chance.randint(8, len(raw))])]


def garbage(chance: random.Random, raw: bytes) -> list[bytes]:
    """Bytes that are no packet come first."""
    return [chance.randbytes(chance.randint(1, 40)), raw]


def foreign(chance: random.Random, raw: bytes) -> list[bytes]:
    """Another packet comes first: a right one, in the wrong place."""
    at = _id_at(raw)
    ours = int.from_bytes(raw[at : at + 4], "little") if len(raw) >= at + 4 else 0
    number = chance.choice((ours, ours - 1, 0)) & 0xFFFFFFFF
    some = chance.randbytes(chance.randint(0, 30))
    packet = chance.choice(
        (
            wire.Event(
                chance.choice((0x4002, 0x4003, 0x400D)), 0, tuple(range(chance.randint(0, 9)))
            ),
            wire.ProbeRequest(),
            wire.ProbeResponse(),
            wire.InitFail(chance.choice(NUMBERS)),
            wire.InitEventAck(),
            wire.InitCommandAck(chance.choice(NUMBERS), bytes(16), text_of(some[:3])[:60], 1),
            wire.Cancel(number),
            wire.StartData(number, chance.choice((None, *NUMBERS))),
            wire.Data(number, some),
            wire.EndData(number, some),
            wire.OperationResponse(chance.choice((0x2001, 0x2019, 0x2002)), number),
            wire.OperationRequest(1, 0x1001, number),
        )
    )
    try:
        return [wire.pack(packet), raw]
    except (ValueError, UnicodeEncodeError):  # a name that cannot be said
        return [raw]


def answer(chance: random.Random, raw: bytes) -> list[bytes]:
    """The response says something else."""
    if kind_of(raw) != wire.PacketType.OPERATION_RESPONSE:
        return bits(chance, raw)
    code = chance.choice((*ResponseCode, chance.randrange(0x10000)))
    more = chance.randbytes(4 * chance.randint(0, 6))
    return [_with_length(raw[:8] + int(code).to_bytes(2, "little") + raw[10:14] + more)]


# After these an Initiator may wait for bytes of a packet that was never meant so.
UNENDING: frozenset[Change] = frozenset({bits, length, garbage})
CHANGES: tuple[Change, ...] = (
    *(bits, length, kind, identity, total, drop, repeat, split, cut, garbage, foreign, answer),
)


def numbers(chance: random.Random, payload: bytes) -> bytes:
    """A dataset with some of its bytes, numbers and lengths changed."""
    data = bytearray(payload)
    for _ in range(chance.randint(1, 4)):
        at = chance.randint(0, len(data))
        match chance.randrange(4):
            case 0 if data:
                data[at % len(data)] ^= 1 << chance.randrange(8)
            case 1:
                data[at : at + 4] = chance.choice(NUMBERS).to_bytes(4, "little")
            case 2:
                del data[at : at + chance.randint(1, 40)]
            case _:
                data[at:at] = chance.randbytes(chance.randint(1, 40))
    return bytes(data)


def _name(chance: random.Random) -> str:
    return text_of(chance.randbytes(chance.randint(0, 12)))[: chance.choice((20, 100, 254))]


def _object_info(chance: random.Random, payload: bytes) -> bytes:
    info = decode(ObjectInfoDataset, payload)
    size = info.object_compressed_size
    for _ in range(chance.randint(1, 3)):
        match chance.randrange(6):
            case 0 | 1:
                info.filename = _name(chance)
            case 2:
                near = (max(size - 1, 0), size + 1, size // 2, 0, 0xFFFFFFFF)
                info.object_compressed_size = chance.choice((*near, chance.choice(NUMBERS)))
            case 3:
                info.parent_object = chance.choice((0, 0x40001, 0x40002, 0x40003, *NUMBERS))
            case 4:
                info.object_format = chance.choice((0x3001, 0x3801, chance.randrange(0x10000)))
            case 5:
                dates = ("", "00010101T000000+1400", "99991231T235959", _name(chance))
                info.capture_date = chance.choice(dates)
    return encode(info)


def _array(chance: random.Random, payload: bytes) -> bytes:
    values = decode_array(payload)
    for _ in range(chance.randint(1, 3)):
        match chance.randrange(3):
            case 0:
                values += values * chance.choice((1, 10))
            case 1:
                values[chance.randint(0, len(values)) :] = [chance.choice(NUMBERS)]
            case 2:
                chance.shuffle(values)
    return encode_array(values)


def _device_info(chance: random.Random, payload: bytes) -> bytes:
    info = decode(DeviceInfo, payload)
    chance.shuffle(info.operations_supported)
    del info.operations_supported[: chance.choice((0, 1, 5, 1000))]
    for field_name in ("manufacturer", "model", "device_version", "serial_number"):
        if chance.random() < 0.5:
            setattr(info, field_name, _name(chance))
    return encode(info)


_DATASETS: dict[int, Callable[[random.Random, bytes], bytes]] = {
    OperationCode.GetObjectInfo: _object_info,
    OperationCode.GetObjectHandles: _array,
    OperationCode.GetStorageIDs: _array,
    OperationCode.GetDeviceInfo: _device_info,
}


def dataset(chance: random.Random, operation: int, payload: bytes) -> bytes:
    """Another payload for an operation: fields that mean something else, or bytes that do."""
    change = _DATASETS.get(operation)
    if change is not None and chance.random() < 0.6:
        try:
            return change(chance, payload)
        except (ValueError, UnicodeEncodeError):  # a value or a name that cannot be said
            pass
    return numbers(chance, payload)
