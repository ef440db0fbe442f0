/* The datasets the benchmarks' responder answers with (ISO 15740); packed, little-endian. */
#ifndef PTPFAST_BENCH_DATASETS_H
#define PTPFAST_BENCH_DATASETS_H

#include "common.h"

#include <stdbool.h>

/* A dataset under construction; the ones here are small but for the list of handles. */
struct dataset {
    uint8_t *bytes;
    size_t size;
};

static inline void add16(struct dataset *set, uint16_t value)
{
    put16(set->bytes + set->size, value);
    set->size += 2;
}

static inline void add32(struct dataset *set, uint32_t value)
{
    put32(set->bytes + set->size, value);
    set->size += 4;
}

static inline void add64(struct dataset *set, uint64_t value)
{
    put64(set->bytes + set->size, value);
    set->size += 8;
}

static inline void add_string(struct dataset *set, const char *text)
{
    size_t units = strlen(text);
    set->bytes[set->size++] = (uint8_t)(units ? units + 1 : 0);
    for (size_t i = 0; units && i <= units; i++)
        add16(set, (uint8_t)text[i]);
}

/* partial: whether GetPartialObject is among the operations, the last in the list. */
static inline void device_info(struct dataset *set, bool partial)
{
    static const uint16_t operations[] = {
        GET_DEVICE_INFO, OPEN_SESSION,       CLOSE_SESSION,   GET_STORAGE_IDS, GET_STORAGE_INFO,
        GET_NUM_OBJECTS, GET_OBJECT_HANDLES, GET_OBJECT_INFO, GET_OBJECT,      GET_OBJECT_PROP_VALUE,
        GET_PARTIAL_OBJECT};
    const uint32_t count = sizeof operations / sizeof *operations - !partial;
    add16(set, 100);
    add32(set, 0);
    add16(set, 0);
    add_string(set, "");
    add16(set, 0);
    add32(set, count);
    for (uint32_t i = 0; i < count; i++)
        add16(set, operations[i]);
    for (int array = 0; array < 4; array++)
        add32(set, 0);
    add_string(set, "ptpfast");
    add_string(set, "bench responder");
    add_string(set, "1");
    add_string(set, "1");
}

static inline void storage_info(struct dataset *set, uint64_t capacity)
{
    add16(set, 4); /* removable RAM, DCF, read-write */
    add16(set, 3);
    add16(set, 0);
    add64(set, capacity);
    add64(set, 0);
    add32(set, 0xFFFFFFFF);
    add_string(set, "");
    add_string(set, "");
}

static inline void object_info(struct dataset *set, uint32_t handle, uint64_t size)
{
    char name[32];
    snprintf(name, sizeof name, "DSC_%04u.NEF", (unsigned)handle);
    add32(set, STORAGE_ID);
    add16(set, 0x3000);
    add16(set, 0);
    add32(set, size < 0xFFFFFFFF ? (uint32_t)size : 0xFFFFFFFF);
    add16(set, 0x3808); /* EXIF/JPEG: libgphoto2 fetches no object without a format of either kind */
    for (int field = 0; field < 7; field++) /* no thumbnail for all that, no pixel sizes, no parent */
        add32(set, 0);
    add16(set, 0);
    add32(set, 0);
    add32(set, 0);
    add_string(set, name);
    add_string(set, "20260102T030405");
    add_string(set, "");
    add_string(set, "");
}

static inline void object_handles(struct dataset *set, uint32_t objects)
{
    add32(set, objects);
    for (uint32_t handle = 1; handle <= objects; handle++)
        add32(set, handle);
}

#endif
