/* The C contender's third way into a file: payload goes from the socket through a pipe into the file and
 * never into this process; the heads between are received one by one.
 */
#ifndef PTPFAST_BENCH_SPLICE_H
#define PTPFAST_BENCH_SPLICE_H

#include "channel.h"

#include <fcntl.h>

enum { PIPE_SIZE = 1 << 20 };

static inline void splice_payload(struct channel *channel, const int *pipe, struct sink *sink, uint64_t size)
{
    while (size) {
        ssize_t got = splice(channel->fd, NULL, pipe[1], NULL, size, SPLICE_F_MOVE | SPLICE_F_MORE);
        if (got <= 0)
            die("splice from the connection");
        channel->reads++;
        size -= (uint64_t)got;
        while (got) {
            loff_t at = (loff_t)sink->position;
            ssize_t put = splice(pipe[0], NULL, sink->fd, &at, (size_t)got, SPLICE_F_MOVE | SPLICE_F_MORE);
            if (put <= 0)
                die("splice into the file");
            sink->position += (uint64_t)put;
            got -= put;
        }
    }
}

static inline void receive_exactly(struct channel *channel, uint8_t *bytes, size_t size)
{
    if (recv(channel->fd, bytes, size, MSG_WAITALL) != (ssize_t)size)
        die("connection lost");
    channel->reads++;
}

/* As transact, with the payload spliced into sink->fd. */
static inline void splice_transact(struct channel *channel, const int *pipe, struct sink *sink, uint16_t code,
                                   const uint32_t *parameters, int count)
{
    struct phase phase = {.sink = sink, .transaction_id = send_request(channel, code, parameters, count)};
    uint8_t packet[START_DATA_SIZE + 64];
    while (!phase.done) {
        receive_exactly(channel, packet, DATA_HEAD_SIZE); /* no packet of a data-in phase is shorter */
        uint32_t length = get32(packet), type = get32(packet + 4);
        if (type != DATA && type != END_DATA && length > DATA_HEAD_SIZE && length <= sizeof packet)
            receive_exactly(channel, packet + DATA_HEAD_SIZE, length - DATA_HEAD_SIZE);
        parse_packet(&phase, packet, length);
        splice_payload(channel, pipe, sink, phase.payload_left);
        phase.payload_left = 0;
    }
}

#endif
