/* What the responder and the initiator of the benchmarks share: the wire's numbers and the content
 * of objects. Layouts: CIPA DC-005 (see docs); everything is little-endian.
 */
#ifndef PTPFAST_BENCH_COMMON_H
#define PTPFAST_BENCH_COMMON_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

enum {
    INIT_COMMAND_REQUEST = 1,
    INIT_COMMAND_ACK = 2,
    INIT_EVENT_REQUEST = 3,
    INIT_EVENT_ACK = 4,
    OPERATION_REQUEST = 6,
    OPERATION_RESPONSE = 7,
    START_DATA = 9,
    DATA = 10,
    END_DATA = 12,
    PROBE_REQUEST = 13,
    PROBE_RESPONSE = 14
};

enum {
    GET_DEVICE_INFO = 0x1001,
    OPEN_SESSION = 0x1002,
    CLOSE_SESSION = 0x1003,
    GET_STORAGE_IDS = 0x1004,
    GET_STORAGE_INFO = 0x1005,
    GET_NUM_OBJECTS = 0x1006,
    GET_OBJECT_HANDLES = 0x1007,
    GET_OBJECT_INFO = 0x1008,
    GET_OBJECT = 0x1009,
    GET_PARTIAL_OBJECT = 0x101B,
    GET_OBJECT_PROP_VALUE = 0x9803,
    RESPONSE_OK = 0x2001,
    OPERATION_NOT_SUPPORTED = 0x2005,
    INVALID_OBJECT_HANDLE = 0x2009,
    INVALID_PARAMETER = 0x201D
};

enum { PREFIX_SIZE = 8, DATA_HEAD_SIZE = 12, START_DATA_SIZE = 20, STORAGE_ID = 0x00010001 };

/* Byte `offset` of object `handle` is table[(offset + handle * STRIDE) % PERIOD]. PERIOD is a prime, so
 * no power of two, and thus no slip by a packet or a chunk, maps the table onto itself. It is small
 * enough to stay in the sender's L2 cache: reading it must not be what limits the sender.
 */
#define PERIOD 262147u
#define STRIDE 7919u

static inline uint8_t content_byte(uint32_t index)
{
    uint32_t x = index * 2654435761u;
    x ^= x >> 15;
    x *= 2246822519u;
    x ^= x >> 13;
    return (uint8_t)x;
}

/* Two periods, so that any run of up to PERIOD bytes lies in one piece. */
static inline uint8_t *content_table(void)
{
    uint8_t *table = malloc(2 * PERIOD);
    if (table == NULL)
        return NULL;
    for (uint32_t i = 0; i < PERIOD; i++)
        table[i] = table[PERIOD + i] = content_byte(i);
    return table;
}

static inline size_t content_start(uint32_t handle, uint64_t offset)
{
    return (size_t)((offset + (uint64_t)handle * STRIDE) % PERIOD);
}

static inline void put16(uint8_t *p, uint16_t value)
{
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
}

static inline void put32(uint8_t *p, uint32_t value)
{
    put16(p, (uint16_t)value);
    put16(p + 2, (uint16_t)(value >> 16));
}

static inline void put64(uint8_t *p, uint64_t value)
{
    put32(p, (uint32_t)value);
    put32(p + 4, (uint32_t)(value >> 32));
}

static inline uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static inline void die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, errno ? strerror(errno) : "unexpected answer");
    exit(1);
}

/* Nothing is left behind: we end with the benchmark that started us, and after `seconds` anyway. */
static inline void end_with_parent(unsigned seconds)
{
    pid_t parent = getppid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (parent == 1 || getppid() != parent)
        exit(1);
    alarm(seconds);
}

#endif
