"""Bytes ↔ values: the 14 packets of PTP/IP, and the cursor and builder that datasets are read with.

This module does no input or output. Everything is little-endian and unaligned.

Every packet begins with its length (u32, counting itself) and its type (u32). What follows is
stated once per packet in the table below (`_packet(...)`), as `field:kind` in wire order; `pack`
and `parse` both walk that table, so the two directions cannot disagree. A kind is the name of a
method that `Cursor` (reading) and `Builder` (writing) both have.

Data and End Data can be as large as a photo. The engine never parses them here: it reads their
12-byte head with the inline functions of `wire.pxd` and streams the payload past Python.

Sources: CIPA DC-005 as stated by malc0mn/ptp-ip (packets.go), Wireshark (packet-ptpip.c) and
libgphoto2 (ptpip.c); where they differ from each other the kind's method says so.

Over 400 lines, because reading and writing a kind are told apart only by standing side by side.
"""

import logging
from collections import namedtuple
from functools import reduce
from operator import index, or_

import cython
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.list cimport PyList_New, PyList_SET_ITEM
from cpython.ref cimport Py_INCREF
from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from .errors import ProtocolError

log = logging.getLogger("ptpfast")
_SHOWN = 16  # bytes of a rest, in the log


@cython.final
cdef class Cursor:
    """A reader of a buffer, from front to back; every read is checked against the rest.

    `buffer` is any C-contiguous bytes-like object (bytes, bytearray, memoryview, mmap, numpy
    array); it is held for the cursor's life. `what` names it in errors. Raises ProtocolError,
    carrying the offset and the field, when the buffer is too short; the cursor does not move then.
    """

    def __init__(self, buffer, str what="dataset"):
        cdef Py_buffer info
        self._owner = buffer
        view = memoryview(buffer)
        self._view = view.cast("B") if view.nbytes else memoryview(b"")  # no cast of no rows
        self._what = what
        PyObject_GetBuffer(self._view, &info, PyBUF_SIMPLE)
        self._start = self._next = <const uint8_t *>info.buf
        self._end = self._start + info.len
        PyBuffer_Release(&info)  # the memoryview itself keeps the export until it is collected

    cdef const uint8_t *need(self, size_t size, str field) except NULL:
        cdef const uint8_t *here = self._next
        if <size_t>(self._end - here) < size:
            raise ProtocolError(
                f"{self._what}: {field} at byte {here - self._start} needs {size} bytes, "
                f"{self._end - here} are left",
                offset=here - self._start,
            )
        self._next = here + size
        return here

    @property
    def offset(self):
        """The number of bytes read so far."""
        return self._next - self._start

    @property
    def remaining(self):
        """The number of bytes not read yet."""
        return self._end - self._next

    def u8(self):
        return self.need(1, "u8")[0]

    def u16(self):
        cdef const uint8_t *p = self.need(2, "u16")
        return <uint16_t>(p[0] | p[1] << 8)

    def u32(self):
        return load_u32(self.need(4, "u32"))

    def u64(self):
        return load_u64(self.need(8, "u64"))

    def u128(self):
        cdef const uint8_t *p = self.need(16, "u128")
        return load_u64(p) | <object>load_u64(p + 8) << 64

    def i8(self):
        return <int8_t>self.need(1, "i8")[0]

    def i16(self):
        cdef const uint8_t *p = self.need(2, "i16")
        return <int16_t>(p[0] | p[1] << 8)

    def i32(self):
        return <int32_t>load_u32(self.need(4, "i32"))

    def i64(self):
        return <int64_t>load_u64(self.need(8, "i64"))

    def i128(self):
        cdef const uint8_t *p = self.need(16, "i128")
        return load_u64(p) | <object>(<int64_t>load_u64(p + 8)) << 64

    def guid(self):
        """Read 16 opaque bytes; no field of a GUID is byte-swapped on this wire."""
        return PyBytes_FromStringAndSize(<const char *>self.need(16, "GUID"), 16)

    def payload(self):
        """Read the rest, as a memoryview of the buffer itself (no copy)."""
        return self.take(self._end - self._next)

    def take(self, Py_ssize_t size):
        """Read `size` bytes as a memoryview of the buffer itself (no copy)."""
        if size < 0:
            raise ValueError("size is negative")
        cdef Py_ssize_t start = self.need(size, "bytes") - self._start
        return self._view[start:start + size]

    def finish(self):
        """Log the bytes behind the last field; some firmware adds fields."""
        cdef Py_ssize_t rest = self._end - self._next
        if rest and log.isEnabledFor(logging.DEBUG):
            shown = bytes(self._view[self.offset:self.offset + min(rest, _SHOWN)]).hex(" ")
            log.debug("%s: %d bytes left over at byte %d: %s%s",
                      self._what, rest, self.offset, shown, " ..." if rest > _SHOWN else "")

    def string(self):
        """Read a PTP string: u8 count of UTF-16 units with the NUL, then the units; 0 is empty.

        It is lenient, as cameras need it. The string is cut at the first NUL (some pad with more),
        and may have none. A string missing at the end of a dataset is empty. A lone surrogate
        becomes U+FFFD.
        """
        if self._next == self._end:
            return ""
        cdef size_t units = self.need(1, "string length")[0]
        cdef const uint8_t *p
        try:
            p = self.need(2 * units, "string")
        except ProtocolError:
            self._next -= 1
            raise
        return _utf16(p, units)

    def nul_string(self):
        """Read a UTF-16 string up to its NUL or the end, as in the Init Command packets."""
        cdef const uint8_t *p = self._next
        cdef size_t units = 0, available = (self._end - p) // 2
        while units < available and (p[2 * units] or p[2 * units + 1]):
            units += 1
        self._next = p + 2 * units
        if units < available:
            self._next += 2
        return _utf16(p, units)

    def version(self):
        """Read a protocol version; 0 if missing, as in Fujifilm's Init Command Ack."""
        return self.u32() if self._end - self._next >= 4 else 0

    def reason(self):
        """Read a reason of Init Fail; 0 (unknown) if it is missing."""
        return self.u32() if self._end - self._next >= 4 else 0

    def total(self):
        """Read Start Data's total: u64, or the u32 of some firmware; None if unknown."""
        cdef uint64_t value
        if self._end - self._next >= 8:
            value = load_u64(self.need(8, "total"))
        else:
            value = load_u32(self.need(4, "total"))
            if value == UNKNOWN_TOTAL_32:
                return None
        return None if value == UNKNOWN_TOTAL else value

    def parameters(self):
        """Read the parameters of a request, response or event: the remaining u32, as a tuple."""
        cdef size_t count = (self._end - self._next) // 4
        if (self._end - self._next) % 4:
            raise ProtocolError(
                f"{self._what}: {self._end - self._next} bytes of parameters, not a multiple of 4",
                offset=self._next - self._start,
            )
        cdef const uint8_t *p = self.need(4 * count, "parameters")
        return tuple([load_u32(p + 4 * i) for i in range(count)])

    def array(self, str kind):
        """Read a PTP array as a list: u32 count, then elements of `kind` (`u16`, `string`…).

        The count is checked against the bytes left before anything is allocated.
        """
        cdef const uint8_t *before = self._next
        cdef size_t count = load_u32(self.need(4, "array count"))
        cdef size_t smallest = _WIDTH.get(kind, 1)
        cdef const uint8_t *p
        cdef size_t i
        cdef list values
        cdef object value
        if count > <size_t>(self._end - self._next) // smallest:
            self._next = before
            raise ProtocolError(
                f"{self._what}: array of {count} {kind} at byte {self.offset} does not fit in the "
                f"{self.remaining - 4} bytes left",
                offset=self.offset,
            )
        if kind == "u32":
            p = self.need(4 * count, "array")
            values = PyList_New(count)  # a list that grows is moved again and again
            for i in range(count):
                value = load_u32(p + 4 * i)
                Py_INCREF(value)  # which PyList_SET_ITEM takes over
                PyList_SET_ITEM(values, i, value)
            return values
        read = getattr(self, kind)
        try:
            return [read() for _ in range(count)]
        except ProtocolError:
            self._next = before
            raise


# Bytes of one element, for the check of an array's count.
_WIDTH = {f"{sign}{8 * size}": size for sign in "ui" for size in (1, 2, 4, 8, 16)}


cdef str _utf16(const uint8_t *p, size_t units):
    cdef size_t used = 0
    while used < units and (p[2 * used] or p[2 * used + 1]):
        used += 1
    return PyBytes_FromStringAndSize(<const char *>p, 2 * used).decode("utf-16-le", "replace")


@cython.final
cdef class Builder:
    """A writer of values, the mirror of `Cursor`. `bytes(builder)` is the result.

    Raises ValueError for a number that does not fit its field or a string that is too long.
    """

    def __cinit__(self):
        self._bytes = bytearray()

    def __bytes__(self):
        return bytes(self._bytes)

    def __len__(self):
        return len(self._bytes)

    cdef int put(self, value, int size, bint signed=False) except -1:
        try:
            self._bytes += index(value).to_bytes(size, "little", signed=signed)
        except OverflowError:
            raise ValueError(f"{value} does not fit in {size} bytes") from None
        return 0

    def u8(self, value):
        self.put(value, 1)

    def u16(self, value):
        self.put(value, 2)

    def u32(self, value):
        self.put(value, 4)

    def u64(self, value):
        self.put(value, 8)

    def u128(self, value):
        self.put(value, 16)

    def i8(self, value):
        self.put(value, 1, True)

    def i16(self, value):
        self.put(value, 2, True)

    def i32(self, value):
        self.put(value, 4, True)

    def i64(self, value):
        self.put(value, 8, True)

    def i128(self, value):
        self.put(value, 16, True)

    def guid(self, value):
        if len(value) != 16:
            raise ValueError(f"a GUID has 16 bytes, not {len(value)}")
        self._bytes += value

    def payload(self, value):
        self._bytes += value

    def string(self, str value):
        """Write a PTP string of at most 254 UTF-16 units: the count with the NUL is one byte.

        The units need not be valid: a lone surrogate is sent unchanged.
        """
        if not value:
            self._bytes.append(0)
            return
        encoded = value.encode("utf-16-le", "surrogatepass")
        if len(encoded) > 2 * 254:
            raise ValueError(f"a PTP string holds 254 UTF-16 units, not {len(encoded) // 2}")
        self._bytes.append(len(encoded) // 2 + 1)
        self._bytes += encoded + b"\0\0"

    def nul_string(self, str value):
        if "\0" in value:
            raise ValueError("a name ends at its first NUL and cannot hold one")
        self._bytes += value.encode("utf-16-le", "surrogatepass") + b"\0\0"

    def version(self, value):
        self.u32(value)

    def reason(self, value):
        self.u32(value)

    def total(self, value):
        self.put(UNKNOWN_TOTAL if value is None else value, 8)

    def parameters(self, values):
        for value in values:
            self.put(value, 4)

    def array(self, values, str kind):
        self.put(len(values), 4)
        write = getattr(self, kind)
        for value in values:
            write(value)


# Packet type → (class, kinds in wire order); filled by the table below.
_LAYOUT = {}


def _packet(number, name, layout, doc, **defaults):
    pairs = [pair.split(":") for pair in layout.split()]
    base = namedtuple(name, [field for field, _ in pairs], module=__name__)
    base.__new__.__defaults__ = tuple(defaults[f] for f, _ in pairs if f in defaults)
    base.__doc__ = f"{doc} Fields in wire order: {layout or 'none'}."
    base.packet_type = number
    _LAYOUT[int(number)] = (base, tuple(kind for _, kind in pairs))
    return base


# The 14 packets (CIPA DC-005). Offset of the first field: 8, after length and type.
InitCommandRequest = _packet(
    PacketType.INIT_COMMAND_REQUEST, "InitCommandRequest",
    "guid:guid name:nul_string version:version",
    "Initiator → Responder, first packet of the Command/Data connection.")
InitCommandAck = _packet(
    PacketType.INIT_COMMAND_ACK, "InitCommandAck",
    "connection_number:u32 guid:guid name:nul_string version:version",
    "Responder → Initiator: welcome; the connection number goes into Init Event Request.")
InitEventRequest = _packet(
    PacketType.INIT_EVENT_REQUEST, "InitEventRequest",
    "connection_number:u32",
    "Initiator → Responder, first packet of the Event connection.")
InitEventAck = _packet(
    PacketType.INIT_EVENT_ACK, "InitEventAck",
    "",
    "Responder → Initiator: both connections stand.")
InitFail = _packet(
    PacketType.INIT_FAIL, "InitFail",
    "reason:reason",
    "Responder → Initiator, on either connection: no, and why (`codes.FailReason`).")
OperationRequest = _packet(
    PacketType.OPERATION_REQUEST, "OperationRequest",
    "data_phase:u32 code:u16 transaction_id:u32 parameters:parameters",
    "Initiator → Responder. data_phase: 1 none or data-in, 2 data-out.",
    parameters=())
OperationResponse = _packet(
    PacketType.OPERATION_RESPONSE, "OperationResponse",
    "code:u16 transaction_id:u32 parameters:parameters",
    "Responder → Initiator, the end of a transaction.",
    parameters=())
Event = _packet(
    PacketType.EVENT, "Event",
    "code:u16 transaction_id:u32 parameters:parameters",
    "Responder → Initiator, on the Event connection.",
    parameters=())
StartData = _packet(
    PacketType.START_DATA, "StartData",
    "transaction_id:u32 total:total",
    "Sender of a data phase: total payload bytes, None when unknown in advance (all ones).")
Data = _packet(
    PacketType.DATA, "Data",
    "transaction_id:u32 payload:payload",
    "A piece of the payload.")
Cancel = _packet(
    PacketType.CANCEL, "Cancel",
    "transaction_id:u32",
    "Gives a transaction up.")
EndData = _packet(
    PacketType.END_DATA, "EndData",
    "transaction_id:u32 payload:payload",
    "The last piece of the payload; may be empty, may be all of it.")
ProbeRequest = _packet(
    PacketType.PROBE_REQUEST, "ProbeRequest",
    "",
    "Either side: are you there?")
ProbeResponse = _packet(
    PacketType.PROBE_RESPONSE, "ProbeResponse",
    "",
    "The answer to a Probe Request, at once.")
# Any of the 14, for annotations.
Packet = reduce(or_, [cls for cls, _ in _LAYOUT.values()])


def pack(packet):
    """Return the bytes of one packet (an instance of one of the 14 packet classes).

    Raises ValueError for a value that does not fit its field.
    """
    cdef Builder builder = Builder()
    _, kinds = _LAYOUT[int(packet.packet_type)]
    builder.put(0, 4)
    builder.put(packet.packet_type, 4)
    for kind, value in zip(kinds, packet):
        getattr(builder, kind)(value)
    builder._bytes[0:4] = len(builder).to_bytes(4, "little")
    return bytes(builder._bytes)


def parse(buffer):
    """Return the packet at the start of a C-contiguous bytes-like object.

    Bytes after the packet's own length are not looked at. Payloads come back as memoryviews of the
    buffer. Raises ProtocolError for a packet that is cut, of unknown type, or not as its layout
    says; its `packet_type` tells which it claimed to be.
    """
    cdef Cursor cursor = Cursor(buffer, "packet")
    cdef const uint8_t *head = cursor.need(PREFIX_SIZE, "length and type")
    cdef uint32_t length = packet_length(head), number = packet_type(head)
    if number not in _LAYOUT:
        raise ProtocolError(f"packet of unknown type {number}", packet_type=number, offset=4)
    cls, kinds = _LAYOUT[number]
    cursor._what = cls.__name__
    if length < PREFIX_SIZE or length > <size_t>(cursor._end - cursor._start):
        raise ProtocolError(
            f"{cls.__name__}: length {length}, but {cursor._end - cursor._start} bytes are here "
            f"and a packet has at least {<int>PREFIX_SIZE}",
            packet_type=number,
        )
    cursor._end = head + length
    try:
        return cls(*[getattr(cursor, kind)() for kind in kinds])
    except ProtocolError as error:
        error.packet_type = number
        raise
