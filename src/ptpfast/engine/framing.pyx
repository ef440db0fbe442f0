"""Framings of packets: PTP/IP's own (`DataPhase`), and containers (`ContainerPhase`).

Each reads the head of a packet and tells the machine (`phase`) what it announces. Payload is never
looked at here.

PTP/IP (CIPA DC-005): length u32, type u32; Start Data, any number of Data, End Data, Operation
Response. Containers (`containers`): length u32, kind u16, code u16, transaction id u32; all
payload is in one data container, then comes a response container.
"""

import cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from ptpfast.engine.phase cimport (
    COMPLETE,
    DATA,
    END_DATA,
    REFUSE,
    REPEAT,
    RESPONSE,
    START,
    TAKE,
    Phase,
    Verdict,
)
from ptpfast.engine.wire cimport (
    CONTAINER_SIZE,
    DATA_HEAD_SIZE,
    MAX_CONTROL_SIZE,
    PREFIX_SIZE,
    RESPONSE_MOST,
    RESPONSE_SIZE,
    START_DATA_SHORT,
    UNKNOWN_TOTAL,
    ContainerKind,
    PacketType,
    container_kind,
    container_transaction_id,
    data_transaction_id,
    packet_length,
    packet_type,
    response_transaction_id,
    start_data_total,
)

from . import containers, wire
from .errors import ProtocolError

cdef size_t LENGTH_SIZE = 4  # of the field that every packet begins with, in either framing

cdef bytes _PROBE_RESPONSE = wire.pack(wire.ProbeResponse())
cdef const uint8_t *PROBE_RESPONSE = <const uint8_t *>PyBytes_AS_STRING(_PROBE_RESPONSE)


@cython.final
cdef class DataPhase(Phase):
    """The packets of PTP/IP: Start Data, Data…, End Data, then Operation Response. `Phase` has
    the part that all framings share."""

    def __cinit__(self):
        self.owed_answer, self.owed_size = PROBE_RESPONSE, PREFIX_SIZE

    cdef int parse_packet(self, const uint8_t *head, size_t size, size_t *taken) except -1 nogil:
        cdef uint32_t length, kind
        if size < PREFIX_SIZE:
            return 0
        length, kind = packet_length(head), packet_type(head)
        if kind == PacketType.DATA or kind == PacketType.END_DATA:
            # Look at the length before waiting for more: a packet of 8 bytes must not hang us.
            if length < DATA_HEAD_SIZE:
                with gil:
                    self.fail(f"Data packet of length {length}")
            if size < DATA_HEAD_SIZE:
                return 0
            self._parse_data(head, length)
            taken[0] = DATA_HEAD_SIZE
            return 0
        if length < PREFIX_SIZE or length > MAX_CONTROL_SIZE:
            with gil:
                self.fail(f"packet of type {kind} claims a length of {length}")
        if size < length:
            return 0
        if kind == PacketType.START_DATA:
            self._parse_start(head, length)
        elif kind == PacketType.PROBE_REQUEST:
            self.owed += 1
        else:
            self.flush()  # so that `received` is right when the response is looked at
            if kind != PacketType.OPERATION_RESPONSE or not self._take_response(head, length):
                with gil:
                    self._parse_other(head, length)
        taken[0] = length
        return 0

    cdef int _parse_start(self, const uint8_t *head, uint32_t length) except -1 nogil:
        cdef int32_t age
        if length < START_DATA_SHORT:
            with gil:
                self.fail(f"Start Data of length {length}")
        age = <int32_t>(data_transaction_id(head) - self.transaction_id)
        if age < 0:
            return 0  # of an earlier transaction
        if age > 0 or self.judge(START) == REFUSE:
            with gil:
                self.fail(f"unexpected Start Data (transaction {data_transaction_id(head)})")
        return self.announce(start_data_total(head, length))

    cdef int _parse_data(self, const uint8_t *head, uint32_t length) except -1 nogil:
        """Parse the head of a Data or End Data packet, and decide about its payload."""
        cdef uint64_t size = length - DATA_HEAD_SIZE
        cdef int32_t age = <int32_t>(data_transaction_id(head) - self.transaction_id)
        cdef bint last = packet_type(head) == PacketType.END_DATA
        cdef Verdict verdict = self.judge(END_DATA if last else DATA)
        # A repeated End Data is dropped if the total was announced; otherwise it cannot be told
        # which of the two had the payload.
        if verdict == REPEAT and size and self.total_size == UNKNOWN_TOTAL:
            verdict = REFUSE
        if age < 0 or (age == 0 and verdict == REPEAT):
            self.begin_discarding(size)
            return 0
        if age > 0 or verdict == REFUSE:
            with gil:
                self.fail(f"unexpected Data (transaction {data_transaction_id(head)})")
        return self.begin_payload(size, last)

    cdef bint _take_response(self, const uint8_t *head, uint32_t length) noexcept nogil:
        """Take the ordinary response to this transaction; return whether it was one. This needs no
        GIL, which others may hold for long."""
        if length < RESPONSE_SIZE or length > RESPONSE_MOST or (length - RESPONSE_SIZE) % 4:
            return False
        if response_transaction_id(head) != self.transaction_id or self.judge(RESPONSE) != TAKE:
            return False
        memcpy(self._response, head, length)
        self._response_size = length
        self.state = COMPLETE
        return True

    @property
    def response(self):
        """The Operation Response (`wire.OperationResponse`); None before it has come."""
        if self.answer is None and self._response_size:
            self.answer = wire.parse(
                PyBytes_FromStringAndSize(<const char *>self._response, self._response_size))
        return self.answer

    cdef int _parse_other(self, const uint8_t *head, uint32_t length) except -1:
        if packet_type(head) == PacketType.PROBE_RESPONSE:
            return 0
        if packet_type(head) != PacketType.OPERATION_RESPONSE:
            return self.add_foreign_packet(head, length)
        # To another transaction, or of an odd length.
        try:
            packet = wire.parse(PyBytes_FromStringAndSize(<const char *>head, length))
        except ProtocolError as error:
            self.fail(error.message)
        return self.answer_with(packet)


@cython.final
cdef class ContainerPhase(Phase):
    """Containers: one with all the payload, then the response's. `Phase` has the part that all
    framings share."""

    cdef int parse_packet(self, const uint8_t *head, size_t size, size_t *taken) except -1 nogil:
        cdef uint32_t length
        cdef int kind
        if size < LENGTH_SIZE:
            return 0
        length = packet_length(head)
        # Look at the length before waiting for more: one of 4 bytes must not hang us.
        if length < CONTAINER_SIZE:
            with gil:
                self.fail(f"container of length {length}")
        if size < CONTAINER_SIZE:
            return 0
        kind = container_kind(head)
        if kind == ContainerKind.DATA_CONTAINER:
            self._parse_data(head, length)
            taken[0] = CONTAINER_SIZE
            return 0
        if length > MAX_CONTROL_SIZE:
            with gil:
                self.fail(f"container of kind {kind} claims a length of {length}")
        if size < length:
            return 0
        self.flush()  # so that `received` is right when the response is looked at
        with gil:
            self._parse_other(head, length)
        taken[0] = length
        return 0

    cdef int _parse_data(self, const uint8_t *head, uint32_t length) except -1 nogil:
        cdef uint64_t size = length - CONTAINER_SIZE
        cdef int32_t age = <int32_t>(container_transaction_id(head) - self.transaction_id)
        if age < 0:
            self.begin_discarding(size)
            return 0
        if age > 0 or self.judge(START) == REFUSE:
            with gil:
                self.fail(f"unexpected data (transaction {container_transaction_id(head)})")
        self.announce(size)
        return self.begin_payload(size, True)

    cdef int _parse_other(self, const uint8_t *head, uint32_t length) except -1:
        if container_kind(head) != ContainerKind.RESPONSE_CONTAINER:
            return self.add_foreign_packet(head, length)
        try:
            answer = containers.parse(PyBytes_FromStringAndSize(<const char *>head, length))
            packet = wire.OperationResponse(
                answer.code, answer.transaction_id, answer.parameters)
        except ProtocolError as error:
            self.fail(error.message)
        return self.answer_with(packet)
