"""The log of a connection: its bytes as blocks of a pcapng file, with synthetic IPv4 and TCP heads.

A tap costs nothing where there is none: `Channel` drives a `Phase`, and a `TappedPhase` is one. It
passes each call on to the phase of the framing and logs the bytes that this has used. So each
received byte is logged once, in order, and neither the channel nor the framings know of it.

Payload that is cut has its length in the log: a segment's length on the wire is larger than its
captured length. A captured part is a whole packet, or the head of a packet with payload at the
start of a segment. Packets with payload share a segment only if they have the same length, so a
reader can tell them apart. Wireshark shows such segments as limited in size, not as malformed. It
looks at the first packet of a segment alone, so all others have a segment each.

Sources: the pcapng specification (draft-ietf-opsawg-pcapng); RFC 791 and 9293.
"""

import cython
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.mem cimport PyMem_RawFree, PyMem_RawRealloc
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from ptpfast.engine.phase cimport Phase
from ptpfast.engine.sink cimport iovec
from ptpfast.engine.wire cimport (
    PREFIX_SIZE,
    ContainerKind,
    PacketType,
    container_kind,
    packet_length,
    packet_type,
)

cdef extern from * nogil:
    """
    #include <stdint.h>
    #include <time.h>
    static int64_t ptpfast_wall_ns(void) {
        struct timespec t;
        clock_gettime(CLOCK_REALTIME, &t);
        return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
    }
    """
    int64_t ptpfast_wall_ns()

US, CAMERA = 0, 1  # the sides of a connection; a segment is sent by one
cdef int OUT = 0
cdef int IN = 1

cdef enum:
    FIN = 1
    SYN = 2
    PSH = 8
    ACK = 16

cdef size_t IP_SIZE = 20
cdef size_t TCP_SIZE = 20
cdef size_t SYN_OPTIONS = 8  # largest segment, window scale, padding
cdef size_t BLOCK_HEAD = 28
cdef uint32_t BLOCK_TYPE = 6  # Enhanced Packet Block
# The most that an IPv4 packet has room for.
cdef size_t SEGMENT = 65535 - 40
cdef size_t HEAD = 12  # of a packet with payload, in either framing
cdef size_t REST = 4096  # of what no framing understood
cdef uint16_t WINDOW = 65535
cdef int SCALE = 14


@cython.final
cdef class Pieces:
    """Bytes that grow without the GIL. `failed`: memory ran out, and bytes are missing."""

    cdef uint8_t *room(self, size_t size) noexcept nogil:
        """Return memory for so many more bytes; NULL without memory."""
        cdef size_t capacity
        cdef void *moved
        if self.size + size > self.capacity:
            capacity = 2 * self.capacity + size + 4096
            moved = PyMem_RawRealloc(self.bytes_, capacity)
            if moved is NULL:
                self.failed = True
                return NULL
            self.bytes_, self.capacity = <uint8_t *>moved, capacity
        self.size += size
        return self.bytes_ + self.size - size

    def take(self):
        """Return all bytes, and begin with none."""
        taken = PyBytes_FromStringAndSize(<const char *>self.bytes_, self.size)
        self.size = 0
        return taken

    def __dealloc__(self):
        PyMem_RawFree(self.bytes_)


cdef inline void put_u16(uint8_t *to, uint32_t value) noexcept nogil:
    to[0], to[1] = (value >> 8) & 0xFF, value & 0xFF


cdef inline void put_u32(uint8_t *to, uint32_t value) noexcept nogil:
    put_u16(to, value >> 16)
    put_u16(to + 2, value & 0xFFFF)


cdef inline void put_little(uint8_t *to, uint32_t value) noexcept nogil:
    to[0], to[1] = value & 0xFF, (value >> 8) & 0xFF
    to[2], to[3] = (value >> 16) & 0xFF, (value >> 24) & 0xFF


cdef uint64_t words(const uint8_t *data, size_t size) noexcept nogil:
    """Return the sum of the words, as IPv4 and TCP build their checksums."""
    cdef uint64_t total = 0
    cdef size_t at
    for at in range(0, size - size % 2, 2):
        total += <uint32_t>data[at] << 8 | data[at + 1]
    if size % 2:
        total += <uint32_t>data[size - 1] << 8
    return total


cdef inline uint16_t checksum(uint64_t total) noexcept nogil:
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return <uint16_t>(~total & 0xFFFF)


@cython.final
cdef class Flow:
    """One TCP connection of a trace. It turns the bytes of both sides into blocks.

    Not thread-safe: it belongs to the thread that uses the channel.

    Args:
        us, camera: an IPv4 address of 4 bytes and a port each.
        containers: whether the packets are containers, or PTP/IP's.
    """

    def __init__(self, us, camera, *, containers=False):
        cdef int side, at
        self._blocks, self._held = Pieces(), Pieces()
        self._rest = b""
        for side, (host, port) in enumerate((us, camera)):
            self._ports[side] = port
            for at in range(4):
                self._hosts[side][at] = host[at]
            self._next[side] = 0
        self._containers = containers

    def open(self):
        """Log the handshake of TCP."""
        self.segment(OUT, SYN, NULL, 0, 0)
        self.segment(IN, SYN | ACK, NULL, 0, 0)
        self.segment(OUT, ACK, NULL, 0, 0)

    def close(self):
        """Log the end of the connection."""
        self._end_segment()
        self.segment(OUT, FIN | ACK, NULL, 0, 0)
        self.segment(IN, FIN | ACK, NULL, 0, 0)
        self.segment(OUT, ACK, NULL, 0, 0)

    def add(self, int side, data):
        """Log bytes (contiguous bytes-like) that a side sent, as they are."""
        cdef Py_buffer view
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            if view.len:
                self._end_segment()
                self.all_of(side, <const uint8_t *>view.buf, view.len)
        finally:
            PyBuffer_Release(&view)

    def acknowledge(self):
        """End the segment that is being gathered, and log an acknowledgement of it."""
        cdef uint32_t before = self._next[IN]
        self._end_segment()
        if before != self._next[IN]:
            self.segment(OUT, ACK, NULL, 0, 0)

    def take(self):
        """Return the blocks since the last call. MemoryError if some are missing."""
        if self._blocks.failed or self._held.failed:
            raise MemoryError
        return self._blocks.take()

    def take_held(self):
        """Return the bytes that were held back."""
        return self._held.take()

    def take_rest(self):
        """Return the start of the bytes that the framing did not understand."""
        rest, self._rest = self._rest, b""
        return rest

    cdef void segment(
        self, int side, int flags, const uint8_t *data, size_t kept, size_t size
    ) noexcept nogil:
        """Log one segment of `size` bytes, of which the first `kept` are in `data`."""
        cdef size_t options = SYN_OPTIONS if flags & SYN else 0
        cdef size_t captured = IP_SIZE + TCP_SIZE + options + kept
        cdef size_t padded = (captured + 3) // 4 * 4
        cdef size_t length = BLOCK_HEAD + padded + 4
        cdef uint8_t *block = self._blocks.room(length)
        cdef uint8_t *ip = block + BLOCK_HEAD
        cdef uint8_t *tcp = ip + IP_SIZE
        cdef int64_t now = ptpfast_wall_ns()
        cdef size_t segment = TCP_SIZE + options + size
        if block is NULL:
            return
        memset(block, 0, length)
        put_little(block, BLOCK_TYPE)
        put_little(block + 4, <uint32_t>length)
        put_little(block + 12, <uint32_t>(now >> 32))
        put_little(block + 16, <uint32_t>now)
        put_little(block + 20, <uint32_t>captured)
        put_little(block + 24, <uint32_t>(IP_SIZE + segment))
        put_little(block + length - 4, <uint32_t>length)
        ip[0], ip[6], ip[8], ip[9] = 0x45, 0x40, 64, 6  # version 4, don't fragment, TTL, TCP
        put_u16(ip + 2, <uint32_t>(IP_SIZE + segment))
        memcpy(ip + 12, self._hosts[side], 4)
        memcpy(ip + 16, self._hosts[1 - side], 4)
        put_u16(ip + 10, checksum(words(ip, IP_SIZE)))
        put_u16(tcp, self._ports[side])
        put_u16(tcp + 2, self._ports[1 - side])
        put_u32(tcp + 4, self._next[side])
        put_u32(tcp + 8, self._next[1 - side] if flags & ACK else 0)
        tcp[12], tcp[13] = <uint8_t>((TCP_SIZE + options) // 4 << 4), <uint8_t>flags
        put_u16(tcp + 14, WINDOW)
        if options:
            tcp[20], tcp[21] = 2, 4
            put_u16(tcp + 22, <uint32_t>SEGMENT)
            tcp[24], tcp[25], tcp[26], tcp[27] = 1, 3, 3, <uint8_t>SCALE
        if kept:
            memcpy(tcp + TCP_SIZE + options, data, kept)
        if kept == size:  # else the bytes that it is the sum of are not here
            put_u16(tcp + 16, checksum(
                words(ip + 12, 8) + 6 + segment + words(tcp, TCP_SIZE + options + kept)))
        self._next[side] += <uint32_t>size + (1 if flags & (SYN | FIN) else 0)

    cdef void all_of(self, int side, const uint8_t *data, size_t size) noexcept nogil:
        cdef size_t part
        while size:
            part = size if size < SEGMENT else SEGMENT
            self.segment(side, PSH | ACK, data, part, part)
            data += part
            size -= part

    cdef void received(self, const uint8_t *data, size_t size, Keeping keeping) noexcept nogil:
        """Log what a phase has used: from the start of a packet, or of what is left of one."""
        cdef uint8_t *to
        if not size:
            return
        if keeping == HEADS:
            self._cut(data, size)
        elif keeping == WHOLE:
            self._end_segment()
            self._keep(data, size)
        else:
            to = self._held.room(size)
            if to is not NULL:
                memcpy(to, data, size)

    cdef void _keep(self, const uint8_t *data, size_t size) noexcept nogil:
        """Log all bytes; each packet begins a segment, for Wireshark looks at the first alone."""
        cdef size_t at = 0, part
        cdef uint64_t length
        while at < size:
            length = self._left
            if not length:
                length = packet_length(data + at) if size - at >= PREFIX_SIZE else 0
            if length < PREFIX_SIZE and not self._left:
                length = size - at
            part = length if length < size - at else size - at
            self.all_of(IN, data + at, part)
            self._left = length - part
            at += part

    cdef void _cut(self, const uint8_t *data, size_t size) noexcept nogil:
        cdef size_t at = 0, part
        cdef uint32_t length
        while at < size:
            if self._left:
                part = size - at if size - at < self._left else self._left
                self._cut_payload(part)
                at += part
                continue
            length = packet_length(data + at)
            if self._begins_payload(data + at, size - at):
                if not self._has_head or length != self._length or (
                    self._gathered + length > SEGMENT
                ):
                    self._end_segment()
                if not self._gathered:
                    memcpy(self._head, data + at, HEAD)
                    self._has_head, self._length = True, length
                self._gathered += HEAD
                self._left = length - HEAD
                at += HEAD
                continue
            self._end_segment()
            part = length if PREFIX_SIZE <= length <= size - at else size - at
            self.all_of(IN, data + at, part)
            at += part

    cdef bint _begins_payload(self, const uint8_t *head, size_t size) noexcept nogil:
        cdef uint32_t kind
        if size < HEAD or packet_length(head) < HEAD:
            return False
        if self._containers:
            return container_kind(head) == ContainerKind.DATA_CONTAINER
        kind = packet_type(head)
        return kind == PacketType.DATA or kind == PacketType.END_DATA

    cdef void _cut_payload(self, uint64_t size) noexcept nogil:
        """Log so many bytes of payload by their number."""
        self._left -= size
        self._gathered += size
        while self._gathered > SEGMENT:
            self.segment(IN, PSH | ACK, self._head, HEAD if self._has_head else 0, SEGMENT)
            self._has_head = False
            self._gathered -= SEGMENT

    cdef void _end_segment(self) noexcept nogil:
        if self._gathered:
            self.segment(
                IN, PSH | ACK, self._head, HEAD if self._has_head else 0, self._gathered)
        self._gathered = 0
        self._has_head = False


@cython.final
cdef class TappedPhase(Phase):
    """A phase that logs the bytes of another, which does the work. For one `Channel.receive`.

    Args:
        inner: the phase of the framing.
        flow: where to log.
        keeping: `heads` cuts payload, `whole` keeps it, `held` keeps all bytes in memory
            (`Flow.take_held`).
    """

    def __init__(self, Phase inner, Flow flow, keeping):
        super().__init__(inner.transaction_id, label=inner.label)
        self._inner, self._flow = inner, flow
        self._keeping = {"heads": HEADS, "whole": WHOLE, "held": HELD}[keeping]
        self.asked, self.waited, self.silence = inner.asked, inner.waited, inner.silence
        self._follow()

    def finish(self):
        """Give the phase the times that the channel has noted."""
        self._inner.asked, self._inner.waited = self.asked, self.waited
        self._inner.silence = self.silence

    cdef void _follow(self) noexcept nogil:
        """Show the channel what it looks at."""
        self.state, self.moved = self._inner.state, self._inner.moved
        self.received = self._inner.received
        self.owed_answer, self.owed_size = self._inner.owed_answer, self._inner.owed_size

    cdef int scan(self, const uint8_t *data, size_t size, size_t *used) except -1 nogil:
        cdef int step = 0, owed
        cdef bint failed = True
        cdef size_t rest
        try:
            step = self._inner.scan(data, size, used)
            failed = False
        finally:
            self._flow.received(data, used[0], self._keeping)
            if failed:
                rest = size - used[0] if size - used[0] < REST else REST
                with gil:
                    self._flow._rest = PyBytes_FromStringAndSize(
                        <const char *>data + used[0], rest)
            owed = self._inner.owed
            self._inner.owed = 0
            self.owed += owed
            self._follow()
            while owed:  # the channel sends them now
                owed -= 1
                self._flow.all_of(OUT, self.owed_answer, self.owed_size)
        return step

    cdef int lend(self, iovec *piece) except -1 nogil:
        cdef int lent = self._inner.lend(piece)
        if lent:
            self._window = <const uint8_t *>piece.iov_base
        return lent

    cdef int filled(self, size_t size) except -1 nogil:
        if self._keeping == HEADS:
            self._flow._cut_payload(size)
        else:
            self._flow.received(self._window, size, self._keeping)
        try:
            self._inner.filled(size)
        finally:
            self._follow()
        return 0
