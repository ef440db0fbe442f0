"""The state machine of a data phase: it parses the answer and passes payload to a sink.

It never blocks: it knows packets and a sink, not sockets, time or threads, and can be fed by hand
(`feed`), cut at any byte. How packets are framed is its children's (`framing`): they read a head
and say what it announces; which of that is legal in which state stands in one table here. `Channel`
drives it.

Lengths are hostile: payload beyond what was announced or asked for, short of it, an unknown total:
each is one check with one message. State first, then the error: after any exception the machine can
go on or say what it has.
"""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t

from ptpfast.engine.sink cimport Sink, iovec
from ptpfast.engine.wire cimport UNKNOWN_TOTAL

from .errors import ProtocolError

# Packets with at least this much payload go straight into the sink's memory, if it lends any: for
# smaller ones, one read of many packets and a copy cost less than a read for each packet. The two
# ways in C, GB/s straight and through the ring: 8 KiB 3.9 and 4.6, 16 KiB 5.3 and 5.1, 64 KiB 6.2
# and 5.4 (bench/peers/initiator.c, AMD EPYC).
cdef uint64_t DIRECT_SIZE = 1 << 14
cdef int MAX_STRAYS = 1000
cdef uint64_t NO_LIMIT = <uint64_t>0xFFFFFFFFFFFFFFFF

# The legal packets, by state (rows) and kind: START, DATA, END_DATA, RESPONSE. Data without a Start
# Data is accepted. So is a repeated End Data, unless either of the two may have had the payload. A
# camera may answer at any time.
cdef Verdict[3][4] LEGAL = [
    [TAKE, TAKE, TAKE, TAKE],  # WAIT_START
    [REFUSE, TAKE, TAKE, TAKE],  # IN_DATA
    [REFUSE, REFUSE, REPEAT, TAKE],  # WAIT_RESPONSE
]


cdef class Phase:
    """The answer of one transaction: payload into a sink, then the response.

    transaction_id: the one all packets must carry; packets of an earlier one are dropped.
    sink: where payload goes; None discards it.
    limit: payload bytes that were asked for; more is a ProtocolError before it reaches the sink.
    any_transaction_id: accept a response of any id (some Responders answer CloseSession with 0).
    label: what is being done, for messages.

    After `done`: `response` (`wire.OperationResponse`), `received` (payload bytes handed to the
    sink), `total` (announced, None if unknown), `complete`, `foreign_packets` (packets that do
    not belong here, such as events), and, as the driver saw it, `waited` (seconds until the
    first packet of the data phase came) and `silence` (the longest it then waited for more,
    seconds). `early` is the sender's: whether the request left before the answer to another had
    come. After any exception `received` is right, and unless it was a ProtocolError the same
    object can be driven on to the end.
    """

    def __init__(self, transaction_id, Sink sink=None, *, limit=None, any_transaction_id=False,
                 label="operation"):
        self.transaction_id = transaction_id
        self._sink = sink
        self._limit = NO_LIMIT if limit is None else limit
        self.any_id = any_transaction_id
        self.label = label
        self.state = WAIT_START
        self.total_size = UNKNOWN_TOTAL
        self.foreign_packets = []
        self._carry = bytearray()

    @property
    def done(self):
        """True when the response has come."""
        return self.state == COMPLETE

    @property
    def started(self):
        """True if there was a data phase (a camera that refuses answers without one)."""
        return self._started

    @property
    def total(self):
        """The announced payload bytes; None if unknown in advance."""
        return None if self.total_size == UNKNOWN_TOTAL else self.total_size

    @property
    def complete(self):
        """True if the payload has the announced size, or if none was announced and it ended."""
        if not self._started:
            return True
        return self._ended if self.total_size == UNKNOWN_TOTAL else self.received == self.total_size

    @property
    def sink(self):
        """The sink. When it is full, set another one, or None to discard the rest."""
        return self._sink

    @sink.setter
    def sink(self, Sink sink):
        self._sink = sink
        self._sink_failed = False

    @property
    def sink_full(self):
        """True if more payload comes than the sink has room for."""
        return bool(self._payload_left and self._sink is not None and not self._sink.room())

    def feed(self, data):
        """Feed bytes by hand; return whether the phase is done.

        Bytes that follow the response are kept in `rest`. Stops early when the sink is full: call
        it again, with b"", once there is room.
        """
        cdef size_t used = 0
        self._carry += data
        cdef bytes carried = bytes(self._carry)
        try:
            if carried and self.state != COMPLETE:
                self.scan(<const uint8_t *>carried, len(carried), &used)
        finally:
            del self._carry[:used]
        return self.state == COMPLETE

    @property
    def rest(self):
        """The bytes that were fed and not used."""
        return bytes(self._carry)

    cdef int scan(self, const uint8_t *data, size_t size, size_t *used) except -1 nogil:
        """Use as many of the bytes as possible. `used` is right even when it raises. `moved` says
        afterwards whether any of them belong to this transaction."""
        cdef uint64_t received = self.received, left = self._payload_left
        cdef State state = self.state
        cdef int step = self._use(data, size, used)
        self.moved = received != self.received or state != self.state or (
            left != self._payload_left and not self._discards
        )
        return step

    cdef int _use(self, const uint8_t *data, size_t size, size_t *used) except -1 nogil:
        cdef size_t at = 0, taken = 0
        used[0] = 0
        while self.state != COMPLETE:
            if self._payload_left:
                if at == size:
                    break
                taken = self._gather(data + at, size - at)
                at += taken
                used[0] = at
                if self._piece_count == MAX_PIECES:
                    self.flush()
                if not taken:
                    self.flush()
                    return SINK_FULL
                continue
            taken = 0
            self.parse_packet(data + at, size - at, &taken)
            if not taken:
                break
            at += taken
            used[0] = at
        self.flush()
        return FINISHED if self.state == COMPLETE else NEED_BYTES

    cdef int parse_packet(self, const uint8_t *head, size_t size, size_t *taken) except -1 nogil:
        """Parse the packet whose head is here: all of it, or the head of one with payload.
        `taken` stays 0 until enough of it has come."""
        with gil:
            raise TypeError("a framing says how packets are read")

    cdef Verdict judge(self, Kind kind) noexcept nogil:
        """Return what to do with a packet of this transaction."""
        return LEGAL[<int>self.state][<int>kind]

    cdef int announce(self, uint64_t total) except -1 nogil:
        """Note the announced size of the payload, or UNKNOWN_TOTAL."""
        if total != UNKNOWN_TOTAL and total > self._limit:
            with gil:
                self.fail(f"{total} bytes are announced, {self._limit} were asked for")
        self.total_size = total
        self._started = True
        self.state = IN_DATA
        return 0

    cdef int begin_payload(self, uint64_t size, bint last) except -1 nogil:
        """Note that a packet's payload follows, and whether it is the last."""
        cdef uint64_t so_far = self.received + self._gathered
        if size > self._limit - so_far or (
            self.total_size != UNKNOWN_TOTAL and size > self.total_size - so_far
        ):
            with gil:
                self.fail(f"{so_far + size} bytes or more, {self._expected()} were expected")
        self._started = True
        self.state = IN_DATA
        self._discards = False
        self._last_packet = last
        self._payload_left = size
        self._large = size >= DIRECT_SIZE
        if not size:
            self._end_packet()
        return 0

    cdef void begin_discarding(self, uint64_t size) noexcept nogil:
        """Drop the payload of a packet that belongs to no transaction of ours."""
        self._discards = True
        self._last_packet = False
        self._payload_left = size

    cdef void _end_packet(self) noexcept nogil:
        if self._last_packet:
            self._ended = True
            self.state = WAIT_RESPONSE

    cdef size_t _gather(self, const uint8_t *data, size_t size) noexcept nogil:
        """Gather payload of the current packet; return the bytes, 0 when the sink is full."""
        cdef size_t take = size if size < self._payload_left else self._payload_left
        cdef uint64_t room
        if not self._discards:
            if self._sink is not None and not self._sink_failed:
                room = self._sink.room() - self._gathered
                if take > room:
                    take = room
                if not take:
                    return 0
                self._pieces[self._piece_count].iov_base = <void *>data
                self._pieces[self._piece_count].iov_len = take
                self._piece_count += 1
                self._gathered += take
            elif not self._sink_failed:
                self.received += take
        self._take(take)
        return take

    cdef void _take(self, size_t size) noexcept nogil:
        self._payload_left -= size
        if not self._payload_left:
            self._end_packet()

    cdef int flush(self) except -1 nogil:
        """Pass the gathered pieces to the sink. If it fails, the rest of the phase is
        discarded."""
        cdef int count = self._piece_count
        if not count:
            return 0
        self._piece_count = 0
        self._gathered = 0
        self._store(self._pieces, count, 0)
        return 0

    cdef int _store(self, iovec *pieces, int count, size_t committed) except -1 nogil:
        """Pass pieces to the sink, or tell it how much was received into its window."""
        cdef uint64_t before = self._sink.position
        self._sink_failed = True
        try:
            if committed:
                self._sink.commit(committed)
            else:
                self._sink.write(pieces, count)
            self._sink_failed = False
        finally:
            self.received += self._sink.position - before
        return 0

    cdef int lend(self, iovec *piece) except -1 nogil:
        """Lend the sink's own memory for a large payload, if it has any; return whether it did."""
        cdef size_t room = 0
        cdef uint8_t *window
        if not self._payload_left or not self._large or self._discards:
            return 0
        if self._sink is None or self._sink_failed:
            return 0
        window = self._sink.window(&room)
        if not room:
            return 0
        piece.iov_base = window
        piece.iov_len = room if room < self._payload_left else self._payload_left
        return 1

    cdef int filled(self, size_t size) except -1 nogil:
        """Note that so many bytes were received into the lent memory."""
        self._take(size)
        self._store(NULL, 0, size)
        return 0

    @property
    def response(self):
        """The response (`wire.OperationResponse`); None before it has come."""
        return self.answer

    cdef int answer_with(self, packet) except -1:
        """Take a response, which may belong to another transaction."""
        cdef int32_t age = <int32_t>(<uint32_t>packet.transaction_id - self.transaction_id)
        if age and not self.any_id:
            if age < 0:
                return 0  # of an earlier transaction
            self.fail(f"response to transaction {packet.transaction_id}")
        self.answer = packet
        self.state = COMPLETE
        return 0

    cdef int add_foreign_packet(self, const uint8_t *packet, size_t size) except -1:
        if len(self.foreign_packets) < MAX_STRAYS:
            self.foreign_packets.append(PyBytes_FromStringAndSize(<const char *>packet, size))
        return 0

    def _expected(self):
        return self._limit if self.total_size == UNKNOWN_TOTAL else self.total_size

    cdef int fail(self, str detail) except -1:
        # What came before is the sink's, however the stream was cut; and no piece may wait beyond
        # this call, because the memory it points to is not ours.
        self.flush()
        raise ProtocolError(
            f"{self.label} (transaction {self.transaction_id}): {detail}",
            received=self.received,
            offset=self.received,
        )
