"""What a tapped phase and the log of a connection have, as C sees it."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from ptpfast.engine.phase cimport Phase


cdef enum Keeping:
    HEADS  # payload is cut
    WHOLE  # every byte
    HELD  # every byte, in memory until `take_held`


cdef class Pieces:
    cdef uint8_t *bytes_
    cdef size_t size
    cdef size_t capacity
    cdef bint failed
    cdef uint8_t *room(self, size_t size) noexcept nogil


cdef class Flow:
    cdef Pieces _blocks
    cdef Pieces _held
    cdef uint8_t _hosts[2][4]
    cdef uint16_t _ports[2]
    cdef uint32_t _next[2]
    cdef bint _containers
    # The packet that is being cut, and the segment that its bytes are gathered in.
    cdef uint64_t _left
    cdef uint64_t _gathered
    cdef uint32_t _length
    cdef uint8_t _head[12]
    cdef bint _has_head
    cdef bytes _rest
    cdef void segment(
        self, int side, int flags, const uint8_t *data, size_t kept, size_t size
    ) noexcept nogil
    cdef void all_of(self, int side, const uint8_t *data, size_t size) noexcept nogil
    cdef void received(self, const uint8_t *data, size_t size, Keeping keeping) noexcept nogil
    cdef void _keep(self, const uint8_t *data, size_t size) noexcept nogil
    cdef void _cut(self, const uint8_t *data, size_t size) noexcept nogil
    cdef void _cut_payload(self, uint64_t size) noexcept nogil
    cdef bint _begins_payload(self, const uint8_t *head, size_t size) noexcept nogil
    cdef void _end_segment(self) noexcept nogil


cdef class TappedPhase(Phase):
    cdef Phase _inner
    cdef Flow _flow
    cdef Keeping _keeping
    cdef const uint8_t *_window
    cdef void _follow(self) noexcept nogil
