"""The engine: the machine that understands a data phase, and the one loop that reads a socket.

Follow a byte: `Channel._fill` receives it, either into the ring or straight into memory the sink
lends; `DataPhase.scan` walks the ring, reads the packet heads there and gathers the payload between
them; `DataPhase._flush` hands all pieces of one read to the sink in one call. Nothing else touches
it.

The machine (`DataPhase`) never blocks: it knows packets and a sink, not sockets, time or threads,
and can be fed by hand (`feed`), cut at any byte. The driver (`Channel`) never decides: it moves
bytes until the machine is done, the sink is full, the deadline passes or somebody cancels. What to
read, how much and whether to try again is policy, above.

Rules of the driver, each learned from somebody's hang:
1. The socket is non-blocking (Python's timeouts make it so anyway): EAGAIN means poll, with our own
   deadline, which starts again with every byte received.
2. EINTR, and every 100 ms at the latest: take the GIL and run pending signal handlers, or Ctrl-C is
   dead. Only in the main thread, because nowhere else can Python run them.
3. Another thread cancels through a pipe in the poll set. A descriptor is never closed under a read:
   `close` shuts down, and whoever is reading closes when it has returned.
4. The destination must not move: the sink holds the buffer's export for as long as it lives.
5. Lengths are hostile: a packet shorter than its head, payload beyond what was announced or asked
   for, short of it, an unknown total: each is one check with one message.
6. State first, then the error: after any exception the machine can go on or say what it has.
7. No wait before what has come is acknowledged: a camera that leaves Nagle's algorithm on keeps the
   rest of its answer until then, and the kernel would think about it for 40 ms.

It is over 400 lines because machine and driver share C structures, and each alone would be a module
that only the other uses; the line between them is the class.
"""

import os
import socket
import threading

import cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.exc cimport PyErr_CheckSignals
from cpython.mem cimport PyMem_RawFree, PyMem_RawMalloc, PyMem_RawRealloc
from libc.errno cimport EAGAIN, EINTR, errno
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memmove

from ptpfast.engine.sink cimport Sink, iovec
from ptpfast.engine.wire cimport (
    DATA_HEAD_SIZE,
    MAX_CONTROL_SIZE,
    PREFIX_SIZE,
    RESPONSE_MOST,
    RESPONSE_SIZE,
    START_DATA_SHORT,
    UNKNOWN_TOTAL,
    PacketType,
    data_transaction_id,
    packet_length,
    packet_type,
    response_transaction_id,
    start_data_total,
)

from . import wire
from .errors import Cancelled, ConnectionLost, ProtocolError, Timeout

cdef extern from * nogil:
    """
    #include <netinet/in.h>
    #include <netinet/tcp.h>
    #include <poll.h>
    #include <sys/types.h>
    #include <sys/socket.h>
    #include <sys/uio.h>
    #include <time.h>
    #include <unistd.h>
    #ifndef MSG_NOSIGNAL
    #define MSG_NOSIGNAL 0  /* macOS; Python ignores SIGPIPE there too */
    #endif
    static double ptpfast_now(void) {
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
    }
    /* An acknowledgement that is due leaves now. macOS has no such option: it decides by itself. */
    static void ptpfast_acknowledge(int fd) {
    #ifdef TCP_QUICKACK
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
    #else
        (void)fd;
    #endif
    }
    """
    int getpid()
    struct pollfd:
        int fd
        short events
        short revents
    int poll(pollfd *fds, unsigned long count, int timeout)
    ssize_t readv(int fd, const iovec *pieces, int count)
    ssize_t send(int fd, const void *data, size_t size, int flags)
    int MSG_NOSIGNAL
    short POLLIN
    short POLLOUT
    double ptpfast_now()
    void ptpfast_acknowledge(int fd)

# One read's worth. Between 256 KiB and 1 MiB the rate is the same; this still fits a core's L2
# cache.
cdef size_t RING_SIZE = 1 << 18
# Packets with at least this much payload go straight into the sink's memory, if it lends any: for
# smaller ones, one read of many packets and a copy cost less than a read for each packet. The two
# ways in C, GB/s straight and through the ring: 8 KiB 3.9 and 4.6, 16 KiB 5.3 and 5.1, 64 KiB 6.2
# and 5.4 (bench/peers/initiator.c, AMD EPYC).
cdef size_t DIRECT_SIZE = 1 << 14
cdef size_t HEADS_SIZE = 64  # the next packet's head, or End Data and Operation Response
cdef double CHECK_S = 0.1
cdef size_t FIRST_SAMPLES = 16
cdef Py_ssize_t SMALL_SEND = 4096
cdef double FOREVER = 1e15
cdef int MAX_STRAYS = 1000
cdef uint64_t NO_LIMIT = <uint64_t>0xFFFFFFFFFFFFFFFF

assert RING_SIZE >= 2 * MAX_CONTROL_SIZE  # an incomplete control packet always fits beside more


@cython.final
cdef class DataPhase:
    """One transaction's way back: Start Data, Data…, End Data into a sink, then Operation Response.

    transaction_id: the one all packets must carry; packets of an earlier one are dropped.
    sink: where payload goes; None discards it.
    limit: payload bytes that were asked for; more is a ProtocolError before it reaches the sink.
    any_transaction_id: accept a response of any id (some Responders answer CloseSession with 0).
    label: what is being done, for messages.

    After `done`: `response` (`wire.OperationResponse`), `received` (payload bytes handed to the
    sink), `total` (announced, None if unknown), `complete`, `strays` (packets that do not belong
    here, such as events), and, as the driver saw it, `waited` (seconds until the first packet of
    the data phase came) and `silence` (the longest it then waited for more, seconds). `early` is
    the sender's: whether the request left before the answer to another had come. After any
    exception `received` is right, and unless it was a ProtocolError the same object can be driven
    on to the end.
    """

    def __init__(self, transaction_id, Sink sink=None, *, limit=None, any_transaction_id=False,
                 label="operation"):
        self.transaction_id = transaction_id
        self._sink = sink
        self._limit = NO_LIMIT if limit is None else limit
        self._any_id = any_transaction_id
        self.label = label
        self._state = WAIT_START
        self._total = UNKNOWN_TOTAL
        self.strays = []
        self._carry = bytearray()

    @property
    def done(self):
        """Whether the Operation Response has come."""
        return self._state == COMPLETE

    @property
    def started(self):
        """Whether there was a data phase at all (a Responder that refuses answers without one)."""
        return self._started

    @property
    def total(self):
        """Payload bytes announced by Start Data; None when unknown in advance."""
        return None if self._total == UNKNOWN_TOTAL else self._total

    @property
    def complete(self):
        """Whether the payload is whole: as announced, or closed by End Data when nothing was."""
        if not self._started:
            return True
        return self._ended if self._total == UNKNOWN_TOTAL else self.received == self._total

    @property
    def sink(self):
        """The sink; set another one to go on when it is full, or None to discard what is to
        come."""
        return self._sink

    @sink.setter
    def sink(self, Sink sink):
        self._sink = sink
        self._sink_failed = False

    @property
    def sink_full(self):
        """Whether payload is here or to come that the sink has no room for."""
        return bool(self._payload_left and self._sink is not None and not self._sink.room())

    def feed(self, data):
        """Drives the machine by hand: takes bytes, returns whether the phase is done.

        Bytes that follow the Operation Response are kept in `rest`. Stops early when the sink is
        full: call it again, with b"", once there is room.
        """
        cdef size_t used = 0
        self._carry += data
        cdef const uint8_t[::1] view = bytes(self._carry)
        try:
            if view.shape[0] and self._state != COMPLETE:
                self.scan(&view[0], view.shape[0], &used)
        finally:
            del self._carry[:used]
        return self._state == COMPLETE

    @property
    def rest(self):
        """Bytes fed and not used."""
        return bytes(self._carry)

    cdef int scan(self, const uint8_t *data, size_t size, size_t *used) except -1 nogil:
        """Uses as many of the bytes as it can. `used` is right even when it raises."""
        cdef size_t at = 0, taken = 0
        used[0] = 0
        while self._state != COMPLETE:
            if self._payload_left:
                if at == size:
                    break
                taken = self._payload(data + at, size - at)
                at += taken
                used[0] = at
                if self._piece_count == MAX_PIECES:
                    self._flush()
                if not taken:
                    self._flush()
                    return SINK_FULL
                continue
            taken = 0
            self._packet(data + at, size - at, &taken)
            if not taken:
                break
            at += taken
            used[0] = at
        self._flush()
        return FINISHED if self._state == COMPLETE else NEED_BYTES

    cdef int _packet(self, const uint8_t *head, size_t size, size_t *taken) except -1 nogil:
        """The packet whose head is here: all of it, or the head of Data and End Data, if
        complete."""
        cdef uint32_t length, kind
        if size < PREFIX_SIZE:
            return 0
        length, kind = packet_length(head), packet_type(head)
        if kind == PacketType.DATA or kind == PacketType.END_DATA:
            # Look at the length before waiting for more: a packet of 8 bytes must not hang us.
            if length < DATA_HEAD_SIZE:
                with gil:
                    self._fail(f"Data packet of length {length}")
            if size < DATA_HEAD_SIZE:
                return 0
            self._data(head, length)
            taken[0] = DATA_HEAD_SIZE
            return 0
        if length < PREFIX_SIZE or length > MAX_CONTROL_SIZE:
            with gil:
                self._fail(f"packet of type {kind} claims a length of {length}")
        if size < length:
            return 0
        if kind == PacketType.START_DATA:
            self._start(head, length)
        elif kind == PacketType.PROBE_REQUEST:
            self._probes += 1
        else:
            self._flush()  # so that `received` is right when the response is looked at
            if kind != PacketType.OPERATION_RESPONSE or not self._answered(head, length):
                with gil:
                    self._control(head, length)
        taken[0] = length
        return 0

    cdef int _start(self, const uint8_t *head, uint32_t length) except -1 nogil:
        cdef uint64_t total
        cdef int32_t age
        if length < START_DATA_SHORT:
            with gil:
                self._fail(f"Start Data of length {length}")
        age = <int32_t>(data_transaction_id(head) - self.transaction_id)
        if age < 0:
            return 0  # of an earlier transaction
        if age > 0 or self._started:
            with gil:
                self._fail(f"unexpected Start Data (transaction {data_transaction_id(head)})")
        total = start_data_total(head, length)
        if total != UNKNOWN_TOTAL and total > self._limit:
            with gil:
                self._fail(f"{total} bytes are announced, {self._limit} were asked for")
        self._total = total
        self._started = True
        self._state = IN_DATA
        return 0

    cdef int _data(self, const uint8_t *head, uint32_t length) except -1 nogil:
        """The head of a Data or End Data packet: says what becomes of its payload."""
        cdef uint64_t size = length - DATA_HEAD_SIZE, so_far
        cdef int32_t age = <int32_t>(data_transaction_id(head) - self.transaction_id)
        cdef bint last = packet_type(head) == PacketType.END_DATA
        # Left over from an aborted transaction, or a repeated End Data: stepped over. Unless nobody
        # has said how much is to come; then which of the two had the payload, nobody knows.
        self._discard = age < 0 or (last and self._state == WAIT_RESPONSE and age == 0
                                    and (not size or self._total != UNKNOWN_TOTAL))
        self._last_packet = last and not self._discard
        if not self._discard:
            if age > 0 or self._state == WAIT_RESPONSE:
                with gil:
                    self._fail(f"unexpected Data (transaction {data_transaction_id(head)})")
            so_far = self.received + self._gathered
            if size > self._limit - so_far or (
                self._total != UNKNOWN_TOTAL and size > self._total - so_far
            ):
                with gil:
                    self._fail(f"{size} more bytes than the {self._expected()} expected")
            self._started = True  # a missing Start Data is forgiven: the total is unknown then
            self._state = IN_DATA
        self._payload_left = size
        self._large = size >= DIRECT_SIZE
        if not size:
            self._packet_over()
        return 0

    cdef void _packet_over(self) noexcept nogil:
        if self._last_packet:
            self._ended = True
            self._state = WAIT_RESPONSE

    cdef size_t _payload(self, const uint8_t *data, size_t size) noexcept nogil:
        """Gathers payload of the packet at hand; how many bytes, 0 when the sink is full."""
        cdef size_t take = size if size < self._payload_left else self._payload_left
        cdef uint64_t room
        if not self._discard:
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
        self.took(take)
        return take

    cdef void took(self, size_t size) noexcept nogil:
        self._payload_left -= size
        if not self._payload_left:
            self._packet_over()

    cdef bint use_wait(self) noexcept nogil:
        """A step of what the sink had no time for; whether there was any."""
        return self._sink is not None and not self._sink_failed and self._sink.catch_up()

    cdef int _flush(self) except -1 nogil:
        """Hands the gathered pieces to the sink. If it fails, the rest of the phase is
        discarded."""
        cdef int count = self._piece_count
        if not count:
            return 0
        self._piece_count = 0
        self._gathered = 0
        self._store(self._pieces, count, 0)
        return 0

    cdef int _store(self, iovec *pieces, int count, size_t committed) except -1 nogil:
        """Gives the sink pieces, or tells it how much was received into its window."""
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

    cdef bint _answered(self, const uint8_t *head, uint32_t length) noexcept nogil:
        """Takes the ordinary response to this transaction, without the GIL, which others may hold
        for long; whether it was that."""
        if length < RESPONSE_SIZE or length > RESPONSE_MOST or (length - RESPONSE_SIZE) % 4:
            return False
        if response_transaction_id(head) != self.transaction_id:
            return False
        memcpy(self._answer, head, length)
        self._answer_size = length
        self._state = COMPLETE
        return True

    @property
    def response(self):
        """The Operation Response (`wire.OperationResponse`) once it has come, else None."""
        if self._response is None and self._answer_size:
            self._response = wire.parse(
                PyBytes_FromStringAndSize(<const char *>self._answer, self._answer_size))
        return self._response

    cdef int _control(self, const uint8_t *head, uint32_t length) except -1:
        raw = PyBytes_FromStringAndSize(<const char *>head, length)
        if packet_type(head) == PacketType.OPERATION_RESPONSE:
            try:
                packet = wire.parse(raw)
            except ProtocolError as error:
                self._fail(error.message)
            self._strange_response(packet)
        elif packet_type(head) != PacketType.PROBE_RESPONSE and len(self.strays) < MAX_STRAYS:
            self.strays.append(raw)
        return 0

    cdef int _strange_response(self, packet) except -1:
        """To another transaction, or of an odd length."""
        cdef int32_t age = <int32_t>(<uint32_t>packet.transaction_id - self.transaction_id)
        if age and not self._any_id:
            if age < 0:
                return 0  # of an earlier transaction
            self._fail(f"response to transaction {packet.transaction_id}")
        self._response = packet
        self._state = COMPLETE
        return 0

    def _expected(self):
        return self._limit if self._total == UNKNOWN_TOTAL else self._total

    cdef int _fail(self, str detail) except -1:
        # What came before is the sink's, however the stream was cut; and no piece may wait beyond
        # this call, because the memory it points to is not ours.
        self._flush()
        raise ProtocolError(
            f"{self.label} (transaction {self.transaction_id}): {detail}",
            received=self.received,
            offset=self.received,
        )


@cython.final
cdef class Timeline:
    """When bytes arrived: `seconds` since it was made and `bytes` so far, as numpy arrays.

    Samples closer together than the resolution (1 ms at first) are one; with `capacity` of them
    every second one goes and the resolution doubles. So it costs little memory and next to no time,
    however long the transfer. `samples()` gives them.
    """

    def __init__(self, capacity=4096):
        if capacity < 2:
            raise ValueError("capacity must be at least 2")
        self._most = capacity
        self._resolution = 1e-3
        self._began = ptpfast_now()

    cdef void add(self, double now, size_t size) noexcept nogil:
        cdef size_t i
        now -= self._began
        self._sum += size
        if self._count and now - self._seconds[self._count - 1] < self._resolution:
            self._bytes[self._count - 1] = self._sum
            return
        if self._count == self._capacity and not self._grow():
            if self._count < 2:
                return  # no memory at all: no timeline
            self._count //= 2
            for i in range(self._count):
                self._seconds[i] = self._seconds[2 * i + 1]
                self._bytes[i] = self._bytes[2 * i + 1]
            self._resolution *= 2
        self._seconds[self._count] = now
        self._bytes[self._count] = self._sum
        self._count += 1

    cdef bint _grow(self) noexcept nogil:
        """Room for twice as many samples, `_most` in all; whether there is more now."""
        cdef size_t capacity = 2 * self._capacity if self._capacity else FIRST_SAMPLES
        cdef void *moved
        if capacity > self._most:
            capacity = self._most
        if capacity == self._capacity:
            return False
        moved = PyMem_RawRealloc(self._seconds, capacity * sizeof(double))
        if moved is NULL:
            return False
        self._seconds = <double *>moved
        moved = PyMem_RawRealloc(self._bytes, capacity * sizeof(int64_t))
        if moved is NULL:
            return False
        self._bytes = <int64_t *>moved
        self._capacity = capacity
        return True

    def samples(self):
        """`(seconds, bytes)`: the samples so far as numpy arrays (float64, int64), both rising."""
        import numpy

        seconds = numpy.empty(self._count, numpy.float64)
        received = numpy.empty(self._count, numpy.int64)
        cdef double[::1] to_seconds = seconds
        cdef int64_t[::1] to_bytes = received
        cdef size_t i
        for i in range(self._count):
            to_seconds[i] = self._seconds[i]
            to_bytes[i] = self._bytes[i]
        return seconds, received

    def __dealloc__(self):
        PyMem_RawFree(self._seconds)
        PyMem_RawFree(self._bytes)


@cython.final
cdef class TimedLock:
    """`with TimedLock(lock, wait_s):` holds a `threading.RLock`; Timeout when it is not free in
    time.

    Python runs signal handlers between its own instructions: one that raises behind `acquire` and
    before `try` would leave the lock taken. Here nothing lies between.
    """

    def __init__(self, lock, wait_s):
        self._lock = lock
        self._wait_s = wait_s

    def __enter__(self):
        if not self._lock.acquire(True, self._wait_s):
            raise Timeout("another thread's transaction does not end")

    def __exit__(self, *_):
        self._lock.release()

    @staticmethod
    def is_free(lock):
        """Whether a lock could be taken now; it is not held when this returns or raises."""
        if not lock.acquire(False):
            return False
        lock.release()
        return True


@cython.final
cdef class Channel:
    """One TCP connection and the loop that drives it. `socket` is taken over.

    One thread at a time may send and receive (ptpfast's sessions hold a lock); `cancel` and `close`
    may be called from any. `bytes_received` and `reads` count since the start. quick_acks: whether
    what has come is acknowledged before more is waited for.
    """

    def __cinit__(self):
        self._fd = self._wake_read = self._wake_write = -1

    def __init__(self, sock, *, quick_acks=True):
        sock.setblocking(False)
        self._quick_acks = quick_acks
        self._process = getpid()
        # Re-entrant, because a signal handler may cancel or close in the thread that holds it.
        self._lock = threading.RLock()
        self._socket = sock
        self._fd = sock.fileno()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._ring = <uint8_t *>PyMem_RawMalloc(RING_SIZE)
        if self._ring is NULL:
            raise MemoryError

    def send(self, data, *, timeout_s=30.0):
        """Sends all of `data` (contiguous bytes-like). Timeout, ConnectionLost or Cancelled if it
        can't."""
        cdef const uint8_t[::1] view = data
        cdef ssize_t sent = 0
        if not view.shape[0]:
            return
        self._begin(timeout_s)
        try:
            # A request fits into the socket's buffer: this neither waits nor costs us the GIL.
            if view.shape[0] <= SMALL_SEND:
                sent = send(self._fd, &view[0], view.shape[0], MSG_NOSIGNAL)
            self._acknowledged = self.bytes_received  # by what is sent
            if sent < view.shape[0]:
                sent = max(sent, 0)
                with nogil:
                    self._send(&view[0] + sent, view.shape[0] - sent)
        finally:
            self._end()

    def receive(self, DataPhase phase not None, *, first_s=30.0, idle_s=30.0, slice_s=None,
                Timeline timeline=None):
        """Drives a data phase: True when it is done; False when its sink is full
        (`phase.sink_full`, set another one) or `slice_s` seconds have passed while bytes came. Then
        call it again.

        first_s: how long to wait for the first byte; idle_s: for each later one.
        Raises Timeout, ConnectionLost, Cancelled, ProtocolError, the sink's SinkError, or what a
        signal handler raises. Except after a ProtocolError or ConnectionLost it may be called
        again.
        """
        cdef double idle = idle_s
        cdef int done
        self._begin(first_s)
        if not phase._asked:
            phase._asked = self._now
        self._slice_end = FOREVER if slice_s is None else self._now + <double>slice_s
        try:
            with nogil:
                done = self._run(phase, idle, timeline)
        except (Timeout, ConnectionLost, Cancelled) as error:
            error.received = phase.received
            error.transaction_id = phase.transaction_id
            error.precede(phase.label)
            raise
        finally:
            self._end()
        return bool(done)

    def receive_packet(self, *, timeout_s=None):
        """The bytes of the next packet, whole; for handshakes and the Event connection.

        timeout_s: seconds to wait, None for ever (until `cancel` or `close`). ProtocolError for a
        length no such packet has; otherwise as `receive`.
        """
        cdef uint32_t length
        self._begin(FOREVER if timeout_s is None else timeout_s)
        try:
            while True:
                if self._last - self._first >= PREFIX_SIZE:
                    length = packet_length(self._ring + self._first)
                    if length < PREFIX_SIZE or length > MAX_CONTROL_SIZE:
                        raise ProtocolError(f"a packet claims a length of {length}")
                    if self._last - self._first >= length:
                        self._first += length
                        return PyBytes_FromStringAndSize(
                            <const char *>self._ring + self._first - length, length)
                with nogil:
                    self._fill(None, -1.0, None)
        finally:
            self._end()

    cdef int _run(self, DataPhase phase, double idle_s, Timeline timeline) except -1 nogil:
        cdef size_t used = 0
        cdef uint64_t received, left
        cdef State state
        cdef double deadline
        cdef int step = NEED_BYTES
        while True:
            if self._first < self._last or phase._state == COMPLETE:
                received, left, state = phase.received, phase._payload_left, phase._state
                try:
                    step = phase.scan(self._ring + self._first, self._last - self._first, &used)
                finally:
                    self._first += used
                # Only what belongs to the transaction is a sign of life: probes are not, nor is
                # what is left of an earlier one.
                if received != phase.received or state != phase._state or (
                    left != phase._payload_left and not phase._discard
                ):
                    self._deadline = self._now + idle_s
                    if state == WAIT_START:
                        phase.waited = self._now - phase._asked
                deadline = self._deadline
                while phase._probes:
                    phase._probes -= 1
                    self._send(PROBE_RESPONSE, PREFIX_SIZE)
                self._deadline = deadline
                if step != NEED_BYTES:
                    return step == FINISHED
                # Who never stops sending what is of no use never lets us wait, either.
                if self._now >= self._deadline:
                    with gil:
                        raise Timeout("nothing of the answer arrived in time")
            if self._now > self._slice_end:
                return 0
            self._fill(phase, idle_s, timeline)

    cdef int _fill(self, DataPhase phase, double idle_s, Timeline timeline) except -1 nogil:
        """The only place that reads a socket: at least one byte, into the ring or the sink's
        memory."""
        cdef iovec pieces[2]
        cdef ssize_t size
        cdef size_t direct
        cdef int code, count
        cdef double since = 0
        if self._first == self._last:
            self._first = self._last = 0
        elif self._first:
            memmove(self._ring, self._ring + self._first, self._last - self._first)
            self._last -= self._first
            self._first = 0
        while True:
            count = self._direct(phase, pieces) if self._last == 0 and phase is not None else 0
            direct = pieces[0].iov_len if count else 0
            pieces[count].iov_base = self._ring + self._last
            # Behind a direct piece only heads are wanted, not payload that would have to be copied.
            pieces[count].iov_len = HEADS_SIZE if count else RING_SIZE - self._last
            size = readv(self._fd, pieces, count + 1)
            if size > 0:
                break
            code = errno
            if size == 0 or (code != EAGAIN and code != EINTR):
                with gil:
                    self._lost(0 if size == 0 else code)
            if code == EAGAIN:
                if not since:
                    since = ptpfast_now()
                self._acknowledge()
                if phase is None or not phase.use_wait():
                    self._wait(POLLIN)
            else:
                self._check()
        self._now = ptpfast_now()
        # Only waits for the socket: what our disk takes is not the camera's silence.
        if since and phase is not None and phase._started:
            phase.silence = max(phase.silence, self._now - since)
        if phase is not None and phase._sink is not None:
            phase._sink.pace = (self._now - self._read_at) / size
        self._read_at = self._now
        self.reads += 1
        self.bytes_received += size
        if timeline is not None:
            timeline.add(self._now, size)
        if direct:
            self._deadline = self._now + idle_s
            if <size_t>size < direct:
                direct = size
            phase.took(direct)
            size -= direct
        self._last += size
        if direct:
            phase._store(NULL, 0, direct)
        if self._now - self._last_check > CHECK_S or self._cancelled:
            self._check()
        return 0

    cdef void _acknowledge(self) noexcept nogil:
        """Has the kernel acknowledge what was read, as nothing more is there.

        TCP_QUICKACK does not last: what we send puts an end to it, and so do some acknowledgements.
        So it is set before every wait, but not if nothing has come since we sent something: that
        has acknowledged all before it, and a camera that answers in one piece costs no call.
        """
        if self._acknowledged != self.bytes_received and self._quick_acks:
            self._acknowledged = self.bytes_received
            ptpfast_acknowledge(self._fd)

    cdef int _direct(self, DataPhase phase, iovec *pieces) except -1 nogil:
        """Sets the first piece to the sink's own memory if the payload to come is worth it: 1, else
        0."""
        cdef size_t room = 0
        cdef uint8_t *window
        if not phase._payload_left or not phase._large or phase._discard:
            return 0
        if phase._sink is None or phase._sink_failed:
            return 0
        window = phase._sink.window(&room)
        if not room:
            return 0
        pieces[0].iov_base = window
        pieces[0].iov_len = room if room < phase._payload_left else phase._payload_left
        return 1

    cdef int _wait(self, short events) except -1 nogil:
        """Waits until the socket is ready, in slices short enough for signals."""
        cdef pollfd fds[2]
        cdef int ready
        cdef bint interrupted = False
        cdef double slice_s
        fds[0].fd, fds[0].events = self._fd, events
        fds[1].fd, fds[1].events = self._wake_read, POLLIN
        while True:
            self._now = ptpfast_now()
            # Not on every wait: taking the GIL can cost 5 ms while another thread computes.
            if interrupted or self._cancelled or self._now - self._last_check > CHECK_S:
                self._check()
            if self._now >= self._deadline:
                with gil:
                    raise Timeout(
                        "nothing arrived in time" if events & POLLIN
                        else "the camera takes no more of what is sent to it"
                    )
            # Only the main thread has signals to look after; the pipe wakes all others.
            slice_s = min(self._deadline - self._now, CHECK_S if self._main_thread else 60.0)
            ready = poll(fds, 2, <int>(1000 * slice_s) + 1)
            interrupted = ready < 0
            if ready > 0 and fds[0].revents:
                return 0

    cdef int _check(self) except -1 nogil:
        """Lets signal handlers run and sees whether somebody cancelled."""
        self._last_check = self._now
        if self._main_thread:
            with gil:
                PyErr_CheckSignals()
        if self._closed:
            with gil:
                raise ConnectionLost("the connection was closed")
        if self._cancelled:
            with gil:
                raise Cancelled("cancelled")
        return 0

    cdef int _send(self, const uint8_t *data, size_t size) except -1 nogil:
        cdef ssize_t sent
        cdef int code
        while size:
            sent = send(self._fd, data, size, MSG_NOSIGNAL)
            if sent >= 0:
                data += sent
                size -= sent
                self._deadline = ptpfast_now() + self._patience
                continue
            code = errno
            if code == EAGAIN:
                self._wait(POLLOUT)
            elif code == EINTR:
                self._check()
            else:
                with gil:
                    self._lost(code)
        return 0

    def _lost(self, int code):
        if self._cancelled and not self._closed:
            raise Cancelled("cancelled")
        reason = os.strerror(code) if code else "the camera closed the connection"
        error = ConnectionLost(f"connection lost: {reason}")
        error.errno = code
        raise error

    cdef int _begin(self, double wait_s) except -1:
        # Before the flag: Python code may run a signal handler, and that may raise.
        cdef bint main_thread = threading.current_thread() is threading.main_thread()
        self._require_own()
        with self._lock:
            if self._closed:
                raise ConnectionLost("the connection is closed")
            if self._busy:
                raise RuntimeError("another thread is using this channel")
            self._busy = True
        self._main_thread = main_thread
        self._now = self._last_check = self._read_at = ptpfast_now()
        self._deadline = self._now + wait_s
        self._patience = wait_s
        return 0

    cdef int _end(self) except -1:
        with self._lock:
            self._busy = False
            if self._closed:
                self._release()
        return 0

    cdef int _require_own(self) except -1:
        # A forked child's packets would stand among its parent's, and its locks may be held.
        if getpid() != self._process:
            raise RuntimeError(
                "this session belongs to the process that opened it; connect again in the child")
        return 0

    def cancel(self):
        """Makes whoever sends or receives here, now or next, raise Cancelled. From any thread."""
        self._require_own()
        with self._lock:
            self._cancelled = True
            if self._wake_write >= 0:
                try:
                    os.write(self._wake_write, b"x")
                except BlockingIOError:
                    pass  # full: it will wake anyway

    def resume(self):
        """Takes a `cancel` back, so that the channel can be used again."""
        self._require_own()
        with self._lock:
            self._cancelled = False
            try:
                while self._wake_read >= 0 and os.read(self._wake_read, 64):
                    pass
            except BlockingIOError:
                pass

    def close(self):
        """Ends the connection, both directions; safe to call twice, from any thread. In a forked
        child it closes the child's descriptors, and the connection goes on."""
        if getpid() != self._process:
            self._closed = True
            self._release()
            return
        with self._lock:
            if self._closed:
                return
            self._closed = True
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # the other side was faster
            if self._busy:
                self.cancel()  # the thread in `receive` releases when it has returned
            else:
                self._release()

    cdef int _release(self) except -1:
        cdef int wake_read = self._wake_read, wake_write = self._wake_write
        self._fd = self._wake_read = self._wake_write = -1
        try:
            self._socket.close()  # Python code: a signal handler may raise here
        finally:
            for fd in (wake_read, wake_write):
                if fd >= 0:
                    os.close(fd)
        return 0

    @property
    def closed(self):
        """Whether `close` was called."""
        return self._closed

    def __dealloc__(self):
        PyMem_RawFree(self._ring)
        for fd in (self._wake_read, self._wake_write):
            if fd >= 0:  # never closed; the socket closes itself
                os.close(fd)


cdef bytes _PROBE_RESPONSE = wire.pack(wire.ProbeResponse())
cdef const uint8_t *PROBE_RESPONSE = <const uint8_t *>PyBytes_AS_STRING(_PROBE_RESPONSE)
