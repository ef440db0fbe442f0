"""What the other compiled modules need of the wire: packet types and the head of a packet.

The inline readers are the only other place that knows where a field of a packet lies; they stand
here, and not in the `.pyx`, so that the data phase can read a head without a call.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t


cpdef enum PacketType:
    INIT_COMMAND_REQUEST = 1
    INIT_COMMAND_ACK = 2
    INIT_EVENT_REQUEST = 3
    INIT_EVENT_ACK = 4
    INIT_FAIL = 5
    OPERATION_REQUEST = 6
    OPERATION_RESPONSE = 7
    EVENT = 8
    START_DATA = 9
    DATA = 10
    CANCEL = 11
    END_DATA = 12
    PROBE_REQUEST = 13
    PROBE_RESPONSE = 14


cpdef enum ContainerKind:
    COMMAND_CONTAINER = 1
    DATA_CONTAINER = 2
    RESPONSE_CONTAINER = 3
    EVENT_CONTAINER = 4


cdef enum:
    PREFIX_SIZE = 8  # length and type, at the start of every packet
    DATA_HEAD_SIZE = 12  # prefix and transaction id, before the payload of Data and End Data
    START_DATA_SHORT = 16  # Start Data with a u32 total, as some firmware sends it
    START_DATA_SIZE = 20
    CONTAINER_SIZE = 12  # head of a container: length, kind, code, transaction id
    RESPONSE_SIZE = 14  # Operation Response without parameters
    RESPONSE_MOST = RESPONSE_SIZE + 5 * 4
    # No packet but Data and End Data is larger than a few hundred bytes; ISO 15740 bounds the
    # parameters, CIPA DC-005 the names. 64 KiB leaves room and bounds what a peer makes us hold.
    MAX_CONTROL_SIZE = 65536

cdef extern from *:
    """
    #define PTPFAST_UNKNOWN_TOTAL 0xFFFFFFFFFFFFFFFFULL
    #define PTPFAST_UNKNOWN_TOTAL_32 0xFFFFFFFFULL
    """
    const uint64_t UNKNOWN_TOTAL "PTPFAST_UNKNOWN_TOTAL"
    const uint64_t UNKNOWN_TOTAL_32 "PTPFAST_UNKNOWN_TOTAL_32"


cdef inline uint32_t load_u32(const uint8_t *p) noexcept nogil:
    return (<uint32_t>p[0] | <uint32_t>p[1] << 8 | <uint32_t>p[2] << 16 | <uint32_t>p[3] << 24)


cdef inline uint64_t load_u64(const uint8_t *p) noexcept nogil:
    return load_u32(p) | <uint64_t>load_u32(p + 4) << 32


# The prefix of any packet (CIPA DC-005): length u32 @0, type u32 @4.
cdef inline uint32_t packet_length(const uint8_t *p) noexcept nogil:
    return load_u32(p)


cdef inline uint32_t packet_type(const uint8_t *p) noexcept nogil:
    return load_u32(p + 4)


# Start Data, Data, End Data and Cancel carry the transaction id @8.
cdef inline uint32_t data_transaction_id(const uint8_t *p) noexcept nogil:
    return load_u32(p + 8)


# A container: length u32 @0, kind u16 @4, code u16 @6, transaction id u32 @8.
cdef inline int container_kind(const uint8_t *p) noexcept nogil:
    return p[4] | p[5] << 8


cdef inline uint32_t container_transaction_id(const uint8_t *p) noexcept nogil:
    return load_u32(p + 8)


# Operation Response: code u16 @8, transaction id u32 @10, up to five parameters u32 @14.
cdef inline uint32_t response_transaction_id(const uint8_t *p) noexcept nogil:
    return load_u32(p + 10)


# Start Data's total @12: u64, or u32 in the short form; the u32 of all ones means unknown too.
cdef inline uint64_t start_data_total(const uint8_t *p, uint32_t length) noexcept nogil:
    cdef uint64_t total = load_u64(p + 12) if length >= START_DATA_SIZE else load_u32(p + 12)
    # 0xFFFFFFFF is unknown to 32-bit firmware, or exactly 4 GiB - 1: End Data decides.
    return UNKNOWN_TOTAL if total == UNKNOWN_TOTAL_32 else total


cdef class Cursor:
    cdef object _owner
    cdef object _view
    cdef str _what
    cdef const uint8_t *_start
    cdef const uint8_t *_next
    cdef const uint8_t *_end
    cdef const uint8_t *need(self, size_t size, str field) except NULL


cdef class Builder:
    cdef bytearray _bytes
    cdef int put(self, value, int size, bint signed=*) except -1
