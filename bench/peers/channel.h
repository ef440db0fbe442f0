/* The C contender's receiving side: one connection, its ring, and where payload goes. */
#ifndef PTPFAST_BENCH_CHANNEL_H
#define PTPFAST_BENCH_CHANNEL_H

#include "common.h"

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { MAX_PIECES = 256, HEADS_SIZE = 64 };

enum sink_kind { SINK_DISCARD, SINK_FILE, SINK_MEMORY };

struct sink {
    enum sink_kind kind;
    int fd;
    uint8_t *memory;
    uint64_t room, position;
};

struct channel {
    int fd;
    uint8_t *ring;
    size_t size, first, last;
    size_t direct; /* payload of which this much is to come goes straight into memory; 0: never */
    uint32_t transaction_id;
    uint64_t reads;
};

/* One data-in phase. */
struct phase {
    struct sink *sink;
    uint32_t transaction_id;
    uint64_t payload_left;
    struct iovec pieces[MAX_PIECES];
    int count;
    uint64_t gathered;
    bool done;
};

static inline void send_all(int fd, const uint8_t *bytes, size_t size)
{
    while (size) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent < 0)
            die("send");
        bytes += sent;
        size -= (size_t)sent;
    }
}

/* All payload of one read: one pwritev, or the copies. */
static inline void flush(struct phase *phase)
{
    struct sink *sink = phase->sink;
    struct iovec *pieces = phase->pieces;
    int count = phase->count;
    phase->count = 0;
    phase->gathered = 0;
    for (int i = 0; sink->kind != SINK_FILE && i < count; i++) {
        if (sink->kind == SINK_MEMORY)
            memcpy(sink->memory + sink->position, pieces[i].iov_base, pieces[i].iov_len);
        sink->position += pieces[i].iov_len;
    }
    while (sink->kind == SINK_FILE && count) {
        ssize_t written = pwritev(sink->fd, pieces, count, (off_t)sink->position);
        if (written < 0)
            die("pwritev");
        sink->position += (uint64_t)written;
        while (count && (size_t)written >= pieces->iov_len) {
            written -= (ssize_t)pieces->iov_len;
            pieces++;
            count--;
        }
        if (count) {
            pieces->iov_base = (uint8_t *)pieces->iov_base + written;
            pieces->iov_len -= (size_t)written;
        }
    }
}

/* One packet, or the head of Data and End Data; the bytes used, 0 if it is not all here. */
static inline size_t parse_packet(struct phase *phase, const uint8_t *head, size_t size)
{
    if (size < DATA_HEAD_SIZE)
        return 0;
    uint32_t length = get32(head), type = get32(head + 4);
    errno = 0;
    if (type == DATA || type == END_DATA) {
        if (length < DATA_HEAD_SIZE || get32(head + 8) != phase->transaction_id)
            die("Data");
        phase->payload_left = length - DATA_HEAD_SIZE;
        if (phase->payload_left > phase->sink->room - phase->sink->position - phase->gathered)
            die("more data than was asked for");
        return DATA_HEAD_SIZE;
    }
    if (length < PREFIX_SIZE || length > START_DATA_SIZE + 64)
        die("length");
    if (size < length)
        return 0;
    if (type == OPERATION_RESPONSE) {
        if (get16(head + 8) != RESPONSE_OK || get32(head + 10) != phase->transaction_id)
            die("Operation Response");
        phase->done = true;
    } else if (type != START_DATA) {
        die("packet");
    }
    return length;
}

static inline void scan(struct channel *channel, struct phase *phase)
{
    while (!phase->done && channel->first < channel->last) {
        uint8_t *at = channel->ring + channel->first;
        size_t have = channel->last - channel->first, taken;
        if (phase->payload_left) {
            taken = have < phase->payload_left ? have : (size_t)phase->payload_left;
            phase->pieces[phase->count++] = (struct iovec){at, taken};
            phase->gathered += taken;
            phase->payload_left -= taken;
            if (phase->count == MAX_PIECES)
                flush(phase);
        } else {
            taken = parse_packet(phase, at, have);
            if (!taken)
                break;
        }
        channel->first += taken;
    }
    flush(phase);
}

static inline void fill(struct channel *channel, struct phase *phase)
{
    struct sink *sink = phase->sink;
    size_t kept = channel->last - channel->first, direct = 0;
    struct iovec pieces[2];
    int count = 0;
    if (kept)
        memmove(channel->ring, channel->ring + channel->first, kept);
    channel->first = 0;
    channel->last = kept;
    if (!kept && sink->kind == SINK_MEMORY && channel->direct && phase->payload_left >= channel->direct) {
        direct = (size_t)phase->payload_left;
        pieces[count++] = (struct iovec){sink->memory + sink->position, direct};
    }
    /* Behind a direct piece only heads are wanted, not payload that would have to be copied. */
    pieces[count++] = (struct iovec){channel->ring + kept, direct ? HEADS_SIZE : channel->size - kept};
    ssize_t got = readv(channel->fd, pieces, count);
    if (got <= 0)
        die("connection lost");
    channel->reads++;
    if ((size_t)got < direct)
        direct = (size_t)got;
    phase->payload_left -= direct;
    sink->position += direct;
    channel->last += (size_t)got - direct;
}

/* An Operation Request without data out; its transaction id. */
static inline uint32_t send_request(struct channel *channel, uint16_t code, const uint32_t *parameters, int count)
{
    uint32_t transaction_id = channel->transaction_id++;
    uint8_t request[38];
    put32(request, 18 + 4 * (uint32_t)count);
    put32(request + 4, OPERATION_REQUEST);
    put32(request + 8, 1);
    put16(request + 12, code);
    put32(request + 14, transaction_id);
    for (int i = 0; i < count; i++)
        put32(request + 18 + 4 * i, parameters[i]);
    send_all(channel->fd, request, get32(request));
    return transaction_id;
}

/* One transaction without data out. */
static inline void transact(struct channel *channel, struct sink *sink, uint16_t code, const uint32_t *parameters,
                            int count)
{
    struct sink none = {.kind = SINK_DISCARD};
    struct phase phase = {.sink = sink ? sink : &none};
    phase.transaction_id = send_request(channel, code, parameters, count);
    while (!phase.done) {
        fill(channel, &phase);
        scan(channel, &phase);
    }
}

#endif
