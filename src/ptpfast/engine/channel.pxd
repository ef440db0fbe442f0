"""The engine's classes as C sees them: first what `DataPhase` knows, then what `Channel` has."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from ptpfast.engine.sink cimport Sink, iovec
from ptpfast.engine.wire cimport RESPONSE_MOST

cdef enum:
    MAX_PIECES = 256  # of one gathered write; IOV_MAX is 1024, and 1 MiB of 4 KiB packets are 256

cdef enum State:
    WAIT_START  # the request is out: Start Data, or at once the Operation Response
    IN_DATA  # Start Data came: Data and End Data
    WAIT_RESPONSE  # End Data came
    COMPLETE  # the Operation Response came

cdef enum Step:
    NEED_BYTES  # all bytes are used that could be
    SINK_FULL  # payload is here and the sink has no room
    FINISHED  # the Operation Response has been read


cdef class DataPhase:
    cdef readonly uint32_t transaction_id
    cdef readonly str label
    cdef Sink _sink
    cdef uint64_t _limit
    cdef bint _any_id
    cdef State _state
    cdef bint _started
    cdef bint _ended
    cdef uint64_t _total
    cdef readonly uint64_t received
    cdef readonly double waited
    cdef readonly double silence
    cdef public bint early
    cdef double _asked
    cdef uint64_t _payload_left
    cdef bint _last_packet
    cdef bint _discard
    cdef bint _large
    cdef bint _sink_failed
    cdef int _probes
    cdef iovec _pieces[MAX_PIECES]
    cdef int _piece_count
    cdef uint64_t _gathered
    cdef object _response
    cdef uint8_t _answer[RESPONSE_MOST]
    cdef uint32_t _answer_size
    cdef readonly list strays
    cdef bytearray _carry
    cdef int scan(self, const uint8_t *data, size_t size, size_t *used) except -1 nogil
    cdef int _packet(self, const uint8_t *head, size_t size, size_t *taken) except -1 nogil
    cdef int _data(self, const uint8_t *head, uint32_t length) except -1 nogil
    cdef int _start(self, const uint8_t *head, uint32_t length) except -1 nogil
    cdef bint _answered(self, const uint8_t *head, uint32_t length) noexcept nogil
    cdef int _control(self, const uint8_t *head, uint32_t length) except -1
    cdef int _strange_response(self, packet) except -1
    cdef size_t _payload(self, const uint8_t *data, size_t size) noexcept nogil
    cdef void took(self, size_t size) noexcept nogil
    cdef bint use_wait(self) noexcept nogil
    cdef void _packet_over(self) noexcept nogil
    cdef int _store(self, iovec *pieces, int count, size_t committed) except -1 nogil
    cdef int _flush(self) except -1 nogil
    cdef int _fail(self, str detail) except -1


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
    cdef bint _quick_acks
    cdef double _now
    cdef double _read_at
    cdef double _deadline
    cdef double _patience
    cdef double _slice_end
    cdef double _last_check
    cdef int _run(self, DataPhase phase, double idle_s, Timeline timeline) except -1 nogil
    cdef int _fill(self, DataPhase phase, double idle_s, Timeline timeline) except -1 nogil
    cdef void _acknowledge(self) noexcept nogil
    cdef int _direct(self, DataPhase phase, iovec *pieces) except -1 nogil
    cdef int _wait(self, short events) except -1 nogil
    cdef int _check(self) except -1 nogil
    cdef int _send(self, const uint8_t *data, size_t size) except -1 nogil
    cdef int _begin(self, double wait_s) except -1
    cdef int _require_own(self) except -1
    cdef int _end(self) except -1
    cdef int _release(self) except -1
