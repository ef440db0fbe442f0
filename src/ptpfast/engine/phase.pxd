"""What a channel knows of the machine that it drives, and what the machine's children share.

A framing (`framing.pyx`) is a subclass of `Phase` that adds one function, `parse_packet`, called
once a packet. `Channel` touches the readonly members and those under "the channel's".
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from ptpfast.engine.sink cimport Sink, iovec

cdef enum:
    MAX_PIECES = 256  # of one gathered write; IOV_MAX is 1024, and 1 MiB of 4 KiB packets are 256

cdef enum State:
    WAIT_START  # the request is out: payload, or at once the response
    IN_DATA  # payload is announced, or came
    WAIT_RESPONSE  # all of the payload came
    COMPLETE  # the response came

cdef enum Kind:  # of a packet, in every framing
    START
    DATA
    END_DATA
    RESPONSE

cdef enum Verdict:
    REFUSE  # a ProtocolError
    TAKE
    REPEAT  # it repeats an earlier packet

cdef enum Step:
    NEED_BYTES  # all bytes are used that could be
    SINK_FULL  # payload is here and the sink has no room
    FINISHED  # the response has been read


cdef class Phase:
    cdef readonly uint32_t transaction_id
    cdef readonly str label
    cdef readonly uint64_t received
    cdef readonly list foreign_packets
    cdef public bint early
    # The channel's.
    cdef readonly double waited
    cdef readonly double silence
    cdef double asked
    cdef State state
    cdef bint moved
    cdef int owed
    cdef const uint8_t *owed_answer
    cdef size_t owed_size
    cdef int scan(self, const uint8_t *data, size_t size, size_t *used) except -1 nogil
    cdef int lend(self, iovec *piece) except -1 nogil
    cdef int filled(self, size_t size) except -1 nogil
    # The children's.
    cdef bint any_id
    cdef uint64_t total_size
    cdef object answer
    cdef int parse_packet(self, const uint8_t *head, size_t size, size_t *taken) except -1 nogil
    cdef Verdict judge(self, Kind kind) noexcept nogil
    cdef int announce(self, uint64_t total) except -1 nogil
    cdef int begin_payload(self, uint64_t size, bint last) except -1 nogil
    cdef void begin_discarding(self, uint64_t size) noexcept nogil
    cdef int flush(self) except -1 nogil
    cdef int answer_with(self, packet) except -1
    cdef int add_foreign_packet(self, const uint8_t *packet, size_t size) except -1
    cdef int fail(self, str detail) except -1
    # Its own.
    cdef Sink _sink
    cdef uint64_t _limit
    cdef bint _started
    cdef bint _ended
    cdef uint64_t _payload_left
    cdef bint _last_packet
    cdef bint _discards
    cdef bint _large
    cdef bint _sink_failed
    cdef iovec _pieces[MAX_PIECES]
    cdef int _piece_count
    cdef uint64_t _gathered
    cdef bytearray _carry
    cdef int _use(self, const uint8_t *data, size_t size, size_t *used) except -1 nogil
    cdef size_t _gather(self, const uint8_t *data, size_t size) noexcept nogil
    cdef void _take(self, size_t size) noexcept nogil
    cdef void _end_packet(self) noexcept nogil
    cdef int _store(self, iovec *pieces, int count, size_t committed) except -1 nogil
