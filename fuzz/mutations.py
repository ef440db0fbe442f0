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
import re
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
from ptpfast.ptp.errors import ProtocolError
from ptpfast.vendors.canon.codes import CanonOperation
from ptpfast.vendors.nikon.codes import NikonOperation
from ptpfast.vendors.sony.codes import SonyOperation
from ptpfast.vendors.sony.contents import encode_contents, parse_contents
from ptpfast.vendors.standard.codes import StandardOperation

from .forms import HEAD, NUMBERS, Form
from .targets import text_of

# What reads the bytes of an object. The first parameter says which one.
READS = (
    OperationCode.GetObject,
    OperationCode.GetPartialObject,
    StandardOperation.GetPartialObject64,
    NikonOperation.GetPartialObjectEx,
    CanonOperation.GetPartialObjectEOS,
    SonyOperation.GetPartialLargeObject,
    SonyOperation.GetContentData,
)


@dataclass
class Record:
    """What was done in a session, in words; and the handles whose bytes may now be wrong.

    Attributes:
        requests: How many operations were asked for, on all connections.
        vague: A list that gives the objects their ids has changed: an id may be another object's.
    """

    done: list[str] = field(default_factory=list)
    risky: set[int] = field(default_factory=set)
    requests: int = 0
    vague: bool = False


def _put(raw: bytes, at: int, value: int, size: int = 4) -> bytes:
    value &= (1 << 8 * size) - 1
    return raw[:at] + value.to_bytes(size, "little") + raw[at + size :]


def _with_length(raw: bytes) -> bytes:
    return _put(raw, 0, len(raw))


# One packet in, what leaves instead out.
Change = Callable[[random.Random, bytes, Form], list[bytes]]


def bits(chance: random.Random, raw: bytes, form: Form) -> list[bytes]:
    """Some bits of its first fields are turned."""
    head = bytearray(raw)
    for _ in range(chance.randint(1, 3)):
        # Of a packet with payload only the head, of any other all there is.
        last = HEAD if form.has_payload(raw) else len(raw)
        head[chance.randrange(min(last, len(raw)))] ^= 1 << chance.randrange(8)
    return [bytes(head)]


def length(chance: random.Random, raw: bytes, form: Form) -> list[bytes]:
    """It claims another length."""
    near = len(raw) + chance.choice((-12, -4, -1, 1, 4, 12))
    return [_put(raw, 0, chance.choice((near, chance.choice(NUMBERS))))]


def kind(chance: random.Random, raw: bytes, form: Form) -> list[bytes]:
    """It is of another type."""
    changed = chance.choice((chance.randrange(20), chance.choice(NUMBERS)))
    return [_put(raw, 4, changed, form.kind_size)]


def identity(chance: random.Random, raw: bytes, form: Form) -> list[bytes]:
    """It is of another transaction."""
    at = form.id_at(raw)
    ours = int.from_bytes(raw[at : at + 4], "little")
    return [
        _put(raw, at, chance.choice((ours - 1, ours + 1, 0, 0xFFFFFFFF, chance.choice(NUMBERS))))
    ]


def total(chance: random.Random, raw: bytes, form: Form) -> list[bytes]:
    """Start Data announces another total, or in 32 bits; of others, the third field is changed."""
    if form.has_payload(raw):
        return bits(chance, raw, form)
    announced = int.from_bytes(raw[12:16], "little")
    changed = _put(raw, 12, chance.choice((announced - 1, announced + 1, chance.choice(NUMBERS))))
    return [_with_length(changed[:16]) if chance.random() < 0.2 else changed]


def drop(chance: random.Random, raw: bytes, form: Form) -> list[bytes]:
    """It is lost."""
    return []


def repeat(chance: random.Random, raw: bytes, form: Form) -> list[bytes]:
    """It comes twice, or often."""
    return [raw] * chance.choice((2, 2, 3, 20))


def split(chance: random.Random, raw: bytes, form: Form) -> list[bytes]:
    """Payload in two packets: nothing is wrong with that, where there may be several."""
    if not form.splits or not form.has_payload(raw) or len(raw) <= HEAD:
        return [raw]
    cut = chance.randint(HEAD, len(raw))
    first = _put(raw[:cut], 4, wire.PacketType.DATA)
    return [_with_length(first), _with_length(raw[:HEAD] + raw[cut:])]


def cut(chance: random.Random, raw: bytes, form: Form) -> list[bytes]:
    """It ends early, and says so."""
    return [_with_length(raw[: chance.randint(8, len(raw))])]


def garbage(chance: random.Random, raw: bytes, form: Form) -> list[bytes]:
    """Bytes that are no packet come first."""
    return [chance.randbytes(chance.randint(1, 40)), raw]


def foreign(chance: random.Random, raw: bytes, form: Form) -> list[bytes]:
    """Another packet comes first: a right one, in the wrong place."""
    at = form.id_at(raw)
    ours = int.from_bytes(raw[at : at + 4], "little") if len(raw) >= at + 4 else 0
    number = chance.choice((ours, ours - 1, 0)) & 0xFFFFFFFF
    some = chance.randbytes(chance.randint(0, 30))
    try:
        return [form.foreign(chance, number, some), raw]
    except (ValueError, UnicodeEncodeError):  # a name that cannot be said
        return [raw]


def answer(chance: random.Random, raw: bytes, form: Form) -> list[bytes]:
    """The response says something else."""
    if not form.responds(raw):
        return bits(chance, raw, form)
    code = int(chance.choice((*ResponseCode, chance.randrange(0x10000))))
    more = chance.randbytes(4 * chance.randint(0, 6))
    return [_with_length(_put(raw[: form.code_at + 6], form.code_at, code, 2) + more)]


CHANGES: tuple[Change, ...] = (
    *(bits, length, kind, identity, total, drop, repeat, split, cut, garbage, foreign, answer),
)


def may_not_end(change: Change, raw: bytes, form: Form) -> bool:
    """Return whether an Initiator may then wait for bytes of a packet that was never meant so."""
    turns_bits = change is answer or (change is total and form.has_payload(raw))
    return turns_bits or change in (bits, length, garbage)


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


def _contents(chance: random.Random, payload: bytes) -> bytes:
    listed = parse_contents(payload)
    for content in listed.contents:
        for file in content.files:
            match chance.randrange(6):
                case 0:
                    file.path = chance.choice(("", "/", "/DCIM/..", "\\")) + _name(chance)
                case 1:
                    file.size = chance.choice((file.size + 1, file.size // 2, 1 << 63, *NUMBERS))
                case 2:
                    file.umid = chance.choice((bytes(32), chance.randbytes(32)))
                case 3:
                    content.content_id = chance.choice((1, content.content_id + 1, *NUMBERS))
                case 4:
                    content.created_local = chance.choice(((1 << 64) - 1, *NUMBERS))
    if chance.random() < 0.2:
        listed.data_time += chance.randrange(3)
        listed.contents *= chance.choice((0, 1, 2, 30))
    return encode_contents(listed)


_WORDS = re.compile(rb"(?:[ -~]\0){3,}|[ -~]{4,}")


def _words(chance: random.Random, payload: bytes) -> bytes:
    """A text in it, of any coding, becomes another one of its length."""
    found = list(_WORDS.finditer(payload))
    if not found:
        return numbers(chance, payload)
    word = chance.choice(found)
    size = len(word[0])
    text = _name(chance) + chance.choice(("/../x", "\0", "%s", "\u202e", "NUL.NEF", "x" * 200))
    coding = "utf-16-le" if b"\0" in word[0] else "utf-8"
    other = text.encode(coding, "surrogatepass")[:size].ljust(size, b"\0")
    return payload[: word.start()] + other + payload[word.end() :]


_DATASETS: dict[int, Callable[[random.Random, bytes], bytes]] = {
    OperationCode.GetObjectInfo: _object_info,
    OperationCode.GetObjectHandles: _array,
    OperationCode.GetStorageIDs: _array,
    OperationCode.GetDeviceInfo: _device_info,
    SonyOperation.GetContentInfoList: _contents,
}


def dataset(chance: random.Random, operation: int, payload: bytes) -> bytes:
    """Another payload for an operation: fields that mean something else, or bytes that do."""
    change = _DATASETS.get(operation)
    if change is not None and chance.random() < 0.6:
        try:
            return change(chance, payload)
        except (ValueError, UnicodeEncodeError, ProtocolError):  # what cannot be said, or read
            pass
    return _words(chance, payload) if chance.random() < 0.3 else numbers(chance, payload)
