"""The two framings of PTP over TCP."""

from libc.stdint cimport uint8_t, uint32_t

from ptpfast.engine.phase cimport Phase
from ptpfast.engine.wire cimport RESPONSE_MOST


cdef class DataPhase(Phase):
    cdef uint8_t _response[RESPONSE_MOST]
    cdef uint32_t _response_size
    cdef int parse_packet(self, const uint8_t *head, size_t size, size_t *taken) except -1 nogil
    cdef int _parse_start(self, const uint8_t *head, uint32_t length) except -1 nogil
    cdef int _parse_data(self, const uint8_t *head, uint32_t length) except -1 nogil
    cdef bint _take_response(self, const uint8_t *head, uint32_t length) noexcept nogil
    cdef int _parse_other(self, const uint8_t *head, uint32_t length) except -1


cdef class ContainerPhase(Phase):
    cdef int parse_packet(self, const uint8_t *head, size_t size, size_t *taken) except -1 nogil
    cdef int _parse_data(self, const uint8_t *head, uint32_t length) except -1 nogil
    cdef int _parse_other(self, const uint8_t *head, uint32_t length) except -1
