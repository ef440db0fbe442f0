"""The C side of a sink: how the engine hands payload over without the GIL."""

from libc.stdint cimport uint8_t, uint64_t


cdef extern from "<sys/uio.h>" nogil:
    cdef struct iovec:
        void *iov_base
        size_t iov_len


cdef extern from "checksum.h" nogil:
    ctypedef struct ptpfast_checksum:
        uint64_t size
    void ptpfast_checksum_init(ptpfast_checksum *sum)
    void ptpfast_checksum_add(ptpfast_checksum *sum, const uint8_t *bytes, size_t size)
    void ptpfast_checksum_value(const ptpfast_checksum *sum, uint64_t value[2])


cdef class Checksum:
    cdef ptpfast_checksum state


cdef class Sink:
    cdef readonly uint64_t position
    # Where the next bytes may be received directly; NULL for a sink that only takes pieces.
    cdef uint8_t *window(self, size_t *size) except? NULL nogil
    # `size` bytes now stand in the window.
    cdef int commit(self, size_t size) except -1 nogil
    # Takes pieces, in order; may change the iovecs. `position` counts what it took, even if it
    # raises.
    cdef int write(self, iovec *pieces, int count) except -1 nogil
    # Bytes it can take before it is full.
    cdef uint64_t room(self) noexcept nogil
    cdef int _drop(self, uint64_t position) except -1


cdef class Descriptor:
    cdef readonly int number


cdef class FileSink(Sink):
    cdef int _fd
    cdef int _process
    cdef bint _lent
    cdef readonly str path
    cdef Checksum _checksum
    cdef uint64_t _marked_at
    cdef Checksum _marked_checksum
    cdef object _before
    cdef bint _fresh
    cdef uint64_t _reserved
    cdef uint64_t _written_back
    cdef int _reserve(self, uint64_t until) except -1
    cdef int _first(self) except -1 nogil
    cdef int _close(self) except -1
    cdef void _add(self, const iovec *pieces, size_t size) noexcept nogil


cdef class MemorySink(Sink):
    cdef Py_buffer _export
    cdef bint _exported
    cdef bytearray _own
    cdef uint8_t *_start
    cdef uint64_t _capacity
    cdef int _grow(self) except -1


cdef class CallbackSink(Sink):
    cdef object _callback
    cdef bytearray _chunk
    cdef uint8_t *_start
    cdef size_t _capacity
    cdef size_t _filled
    cdef int _renew(self) except -1
    cdef int _deliver(self) except -1
