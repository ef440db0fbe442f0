"""The driver: the only loop that reads a socket.

Follow a byte: `Channel._fill` receives it, either into the ring or straight into memory the sink
lends; `Phase.scan` walks the ring, reads the packet heads there and gathers the payload between
them; `Phase.flush` hands all pieces of one read to the sink in one call. Nothing else touches it.

The driver never decides: it moves bytes until the machine (`phase`) is done, the sink is full, the
deadline passes or another thread cancels. What to read, how much and whether to try again is
policy, above. It knows no framing, only that every packet begins with its length.

Rules of the driver, each learned from a hang in another client:
1. The socket is non-blocking (Python's timeouts make it so anyway): EAGAIN means poll, with our own
   deadline, which starts again with every byte received.
2. EINTR, and every 100 ms at the latest: take the GIL and run pending signal handlers, or Ctrl-C is
   dead. Only in the main thread, because nowhere else can Python run them.
3. Another thread cancels through a pipe in the poll set. A descriptor is never closed under a read:
   `close` shuts down; the thread that reads closes the socket when it returns.
4. The destination must not move: the sink holds the buffer's export for as long as it lives.
5. No wait before what has come is acknowledged: a camera that leaves Nagle's algorithm on keeps the
   rest of its answer until then, and the kernel would think about it for 40 ms.

It is over 400 lines because the loop, its waits, and who may use the channel when, are one thing.
"""

import os
import socket
import threading

import cython
from cpython.buffer cimport (
    PyBUF_SIMPLE,
    PyBUF_WRITABLE,
    PyBuffer_Release,
    PyObject_GetBuffer,
)
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.exc cimport PyErr_CheckSignals
from cpython.mem cimport PyMem_RawFree, PyMem_RawMalloc, PyMem_RawRealloc
from libc.errno cimport EAGAIN, EINTR, errno
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memmove

from ptpfast.engine.phase cimport COMPLETE, FINISHED, NEED_BYTES, WAIT_START, Phase, State
from ptpfast.engine.sink cimport iovec
from ptpfast.engine.wire cimport MAX_CONTROL_SIZE, PREFIX_SIZE, packet_length

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
    /* An acknowledgement that is due leaves now. macOS has no such option. */
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
cdef size_t HEADS_SIZE = 64  # the next packet's head, or End Data and Operation Response
cdef double CHECK_S = 0.1
cdef size_t FIRST_SAMPLES = 16
cdef Py_ssize_t SMALL_SEND = 4096
cdef double FOREVER = 1e15
cdef uint64_t NO_STOP = <uint64_t>-1

assert RING_SIZE >= 2 * MAX_CONTROL_SIZE  # an incomplete control packet always fits beside more


cdef fill(array, const void *source, size_t size):
    """Copy memory into a contiguous array. Typed memoryviews would add 60 kB to each module."""
    cdef Py_buffer view
    PyObject_GetBuffer(array, &view, PyBUF_WRITABLE)
    if size:
        memcpy(view.buf, source, size)
    PyBuffer_Release(&view)


@cython.final
cdef class Timeline:
    """Record when bytes arrived: `samples()` gives seconds and bytes so far, as numpy arrays.

    Args:
        capacity: how many samples to keep. When they are full, every second one is dropped and the
            resolution (1 ms at first) doubles.
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
        """Make room for twice as many samples, `_most` in all; return whether there is more."""
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
        """Return `(seconds, bytes)`: the samples as numpy arrays (float64, int64), both rising."""
        import numpy

        cdef size_t count = self._count
        seconds = numpy.empty(count, numpy.float64)
        received = numpy.empty(count, numpy.int64)
        fill(seconds, self._seconds, count * sizeof(double))
        fill(received, self._bytes, count * sizeof(int64_t))
        return seconds, received

    def __reduce__(self):
        seconds, received = self.samples()
        numbers = (self._most, self._resolution, self._began, self._sum)
        return _restored_timeline, (numbers, seconds.tolist(), received.tolist())

    def __dealloc__(self):
        PyMem_RawFree(self._seconds)
        PyMem_RawFree(self._bytes)


def _restored_timeline(numbers, seconds, received):
    """Return a Timeline as it was pickled."""
    cdef Timeline timeline = Timeline(numbers[0])
    cdef size_t i
    cdef size_t count = len(seconds)
    while timeline._capacity < count and timeline._grow():
        pass
    timeline._count = min(count, timeline._capacity)
    for i in range(timeline._count):
        timeline._seconds[i] = seconds[i]
        timeline._bytes[i] = received[i]
    timeline._resolution, timeline._began, timeline._sum = numbers[1:]
    return timeline


@cython.final
cdef class TimedLock:
    """A `with` that holds a `threading.RLock`, or raises Timeout after `wait_s` seconds.

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
        """Return whether a lock is free. It is not held when this returns or raises."""
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
        self._stop_at = NO_STOP

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
        """Send all of `data` (contiguous bytes-like). Raises Timeout, ConnectionLost or
        Cancelled."""
        cdef double patience = timeout_s
        cdef Py_buffer view
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            if view.len:
                self._send_all(<const uint8_t *>view.buf, view.len, patience)
        finally:
            PyBuffer_Release(&view)

    cdef _send_all(self, const uint8_t *data, ssize_t size, double patience):
        cdef ssize_t sent = 0
        self._begin()
        try:
            # A request fits into the socket's buffer: this neither waits nor costs us the GIL.
            if size <= SMALL_SEND:
                sent = send(self._fd, data, size, MSG_NOSIGNAL)
            self._acknowledged = self.bytes_received  # by what is sent
            if sent < size:
                sent = max(sent, 0)
                with nogil:
                    self._send(data + sent, size - sent, patience)
        finally:
            self._end()

    def receive(self, Phase phase not None, *, first_s=30.0, idle_s=30.0, slice_s=None,
                Timeline timeline=None, most=None):
        """Receive a data phase; return True when it is done.

        Returns False when its sink is full (`phase.sink_full`, set another one), when `slice_s`
        seconds have passed while bytes came, or when about `most` bytes have come. Then call it
        again.

        first_s: how long to wait for the first byte; idle_s: for each later one.
        Raises Timeout, ConnectionLost, Cancelled, ProtocolError, the sink's SinkError, or what a
        signal handler raises. Except after a ProtocolError or ConnectionLost it may be called
        again.
        """
        cdef double idle = idle_s
        cdef int done
        if most is not None and most < 1:
            raise ValueError(f"most is at least 1 byte, not {most}")
        self._begin()
        if not phase.asked:
            phase.asked = self._now
        cdef double first = self._now + <double>first_s
        cdef double end = FOREVER if slice_s is None else self._now + <double>slice_s
        self._stop_at = NO_STOP if most is None else self.bytes_received + <uint64_t>most
        try:
            with nogil:
                done = self._run(phase, first, idle, end, timeline)
        except (Timeout, ConnectionLost, Cancelled) as error:
            error.received = phase.received
            error.transaction_id = phase.transaction_id
            error.precede(phase.label)
            raise
        finally:
            self._stop_at = NO_STOP
            self._end()
        return bool(done)

    def receive_packet(self, *, timeout_s=None):
        """Return the bytes of the next packet; for handshakes and the Event connection.

        timeout_s: seconds to wait, None for ever (until `cancel` or `close`). ProtocolError for a
        length no such packet has; otherwise as `receive`.
        """
        cdef uint32_t length
        self._begin()
        cdef double deadline = FOREVER if timeout_s is None else self._now + <double>timeout_s
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
                    self._fill(None, deadline, None)
        finally:
            self._end()

    cdef int _run(
        self, Phase phase, double deadline, double idle_s, double end, Timeline timeline
    ) except -1 nogil:
        """Receive until the phase is done, its sink is full, or `end`. `deadline` is that of the
        first byte; each other one may take `idle_s`."""
        cdef size_t used = 0
        cdef State state
        cdef int step = NEED_BYTES
        while True:
            if self._first < self._last or phase.state == COMPLETE:
                state = phase.state
                try:
                    step = phase.scan(self._ring + self._first, self._last - self._first, &used)
                finally:
                    self._first += used
                # Only what belongs to the transaction is a sign of life: probes are not, nor is
                # what is left of an earlier one.
                if phase.moved:
                    deadline = self._now + idle_s
                    if state == WAIT_START:
                        phase.waited = self._now - phase.asked
                while phase.owed:
                    phase.owed -= 1
                    self._send(phase.owed_answer, phase.owed_size, deadline - self._now)
                if step != NEED_BYTES:
                    return step == FINISHED
                # While useless bytes keep coming, `_fill` does not wait, and sees no deadline.
                if self._now >= deadline:
                    with gil:
                        raise Timeout("nothing of the answer arrived in time")
            if self._now > end or self.bytes_received >= self._stop_at:
                return 0
            if self._fill(phase, deadline, timeline):
                deadline = self._now + idle_s

    cdef int _fill(self, Phase phase, double deadline, Timeline timeline) except -1 nogil:
        """Read at least one byte into the ring or the sink's memory; return 1 for the latter. This
        is the only place that reads a socket."""
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
            count = phase.lend(pieces) if self._last == 0 and phase is not None else 0
            direct = pieces[0].iov_len if count else 0
            pieces[count].iov_base = self._ring + self._last
            # Behind a direct piece only heads are wanted, not payload that would have to be copied.
            pieces[count].iov_len = HEADS_SIZE if count else RING_SIZE - self._last
            if self._stop_at != NO_STOP:  # a rate is limited: no more than was asked for
                count = self._curb(pieces, count)
                direct = min(direct, pieces[0].iov_len)
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
                self._wait(POLLIN, deadline)
            else:
                self._check()
        self._now = ptpfast_now()
        # Only waits for the socket: the time of our disk is not the camera's silence.
        if since and phase is not None and phase.state != WAIT_START:
            phase.silence = max(phase.silence, self._now - since)
        self.reads += 1
        self.bytes_received += size
        if timeline is not None:
            timeline.add(self._now, size)
        if direct > <size_t>size:
            direct = size
        self._last += size - direct
        if direct:
            phase.filled(direct)
        if self._now - self._last_check > CHECK_S or self._cancelled:
            self._check()
        return direct > 0

    cdef int _curb(self, iovec *pieces, int count) noexcept nogil:
        """Shorten a read to what is left of `most`; return how many pieces come before the last."""
        cdef uint64_t left = self._stop_at - self.bytes_received
        if self.bytes_received >= self._stop_at or left < HEADS_SIZE:
            left = HEADS_SIZE
        if pieces[0].iov_len <= left:
            return count
        pieces[0].iov_len = left
        return 0

    cdef void _acknowledge(self) noexcept nogil:
        """Make the kernel acknowledge the bytes that were read.

        TCP_QUICKACK does not last: what we send puts an end to it, and so do some acknowledgements.
        So it is set before every wait, but not if nothing has come since we sent something: that
        has acknowledged all before it, and a camera that answers in one piece costs no call.
        """
        if self._acknowledged != self.bytes_received and self._quick_acks:
            self._acknowledged = self.bytes_received
            ptpfast_acknowledge(self._fd)

    cdef int _wait(self, short events, double deadline) except -1 nogil:
        """Wait until the socket is ready, in slices short enough for signals."""
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
            if self._now >= deadline:
                with gil:
                    raise Timeout(
                        "nothing arrived in time" if events & POLLIN
                        else "the camera takes no more of what is sent to it"
                    )
            # Only the main thread has signals to look after; the pipe wakes all others.
            slice_s = min(deadline - self._now, CHECK_S if self._main_thread else 60.0)
            ready = poll(fds, 2, <int>(1000 * slice_s) + 1)
            interrupted = ready < 0
            if ready > 0 and fds[0].revents:
                return 0

    cdef int _check(self) except -1 nogil:
        """Run signal handlers, and check whether `cancel` was called."""
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

    cdef int _send(self, const uint8_t *data, size_t size, double patience_s) except -1 nogil:
        """Send all bytes; `patience_s` limits each wait for room."""
        cdef double deadline = self._now + patience_s
        cdef ssize_t sent
        cdef int code
        while size:
            sent = send(self._fd, data, size, MSG_NOSIGNAL)
            if sent >= 0:
                data += sent
                size -= sent
                deadline = ptpfast_now() + patience_s
                continue
            code = errno
            if code == EAGAIN:
                self._wait(POLLOUT, deadline)
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

    cdef int _begin(self) except -1:
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
        self._now = self._last_check = ptpfast_now()
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
        """Make the running or the next send or receive raise Cancelled. From any thread."""
        self._require_own()
        with self._lock:
            self._cancelled = True
            if self._wake_write >= 0:
                try:
                    os.write(self._wake_write, b"x")
                except BlockingIOError:
                    pass  # full: it will wake anyway

    def resume(self):
        """Undo a `cancel`, so that the channel can be used again."""
        self._require_own()
        with self._lock:
            self._cancelled = False
            try:
                while self._wake_read >= 0 and os.read(self._wake_read, 64):
                    pass
            except BlockingIOError:
                pass

    def close(self):
        """End the connection; safe to call twice, from any thread. In a forked child, close the
        child's descriptors only."""
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
        """True after `close` was called."""
        return self._closed

    def __dealloc__(self):
        PyMem_RawFree(self._ring)
        for fd in (self._wake_read, self._wake_write):
            if fd >= 0:  # never closed; the socket closes itself
                os.close(fd)
