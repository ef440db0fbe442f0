"""What `Channel` and `Timeline` have, as C sees it."""

from libc.stdint cimport int64_t, uint8_t, uint64_t

from ptpfast.engine.phase cimport Phase
from ptpfast.engine.sink cimport iovec


cdef class Timeline:
    cdef double *_seconds
    cdef int64_t *_bytes
    cdef size_t _capacity
    cdef size_t _most
    cdef size_t _count
    cdef double _resolution
    cdef double _began
    cdef int64_t _sum
    cdef void add(self, double now, size_t size) noexcept nogil
    cdef bint _grow(self) noexcept nogil


cdef class TimedLock:
    cdef object _lock
    cdef double _wait_s


cdef class Channel:
    cdef object _lock
    cdef object _socket
    cdef int _fd
    cdef int _wake_read
    cdef int _wake_write
    cdef bint _cancelled
    cdef bint _busy
    cdef bint _closed
    cdef bint _main_thread
    cdef int _process
    cdef uint8_t *_ring
    cdef size_t _first
    cdef size_t _last
    cdef readonly uint64_t bytes_received
    cdef readonly uint64_t reads
    cdef uint64_t _acknowledged
    cdef uint64_t _stop_at
    cdef bint _quick_acks
    cdef double _now
    cdef double _last_check
    cdef int _run(
        self, Phase phase, double deadline, double idle_s, double end, Timeline timeline
    ) except -1 nogil
    cdef int _fill(self, Phase phase, double deadline, Timeline timeline) except -1 nogil
    cdef int _curb(self, iovec *pieces, int count) noexcept nogil
    cdef void _acknowledge(self) noexcept nogil
    cdef int _wait(self, short events, double deadline) except -1 nogil
    cdef int _check(self) except -1 nogil
    cdef _send_all(self, const uint8_t *data, ssize_t size, double patience)
    cdef int _send(self, const uint8_t *data, size_t size, double patience_s) except -1 nogil
    cdef int _begin(self) except -1
    cdef int _require_own(self) except -1
    cdef int _end(self) except -1
    cdef int _release(self) except -1
