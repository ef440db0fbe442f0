/* A PTP/IP Responder that does nothing but send, so that it is not what a benchmark measures: the
 * payload is sent from one prebuilt table, up to a thousand packets' pieces in one sendmsg.
 *
 *     responder [--objects N] [--size BYTES] [--packet BYTES] [--end payload|empty]
 *               [--partial 0|1] [--rate BYTES_PER_S] [--seconds N]
 *               [--nagle 0|1] [--writes whole|apart|pieces]
 *
 * Prints the port it listens on (loopback only) and serves one Initiator after another until killed.
 * --packet: payload and head of a Data packet; 0 puts all in one End Data, as Nikon bodies do.
 * --end: whether the last payload travels in End Data (Canon) or in Data before an empty one.
 * --partial: whether GetPartialObject is offered, so that an Initiator can be made to do without.
 * --rate: paces the payload; 0 sends as fast as it is taken.
 * --nagle: leaves Nagle's algorithm on, as many firmwares do.
 * --writes: what one send carries: as much as fits, a packet, or also a packet's head and payload each.
 */
#define _GNU_SOURCE
#include "datasets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum {
    MAX_PIECES = 1000, /* IOV_MAX is 1024 */
    MAX_REQUEST = 4096
};
#define BATCH_SIZE ((size_t)1 << 20)
#define PACED_BATCH_SIZE ((size_t)1 << 18) /* 1.3 ms at 200 MB/s: no burst that hides a stall */
#define MAX_PACKET (1u << 31)

static uint32_t objects = 1;
static uint64_t object_size = 1 << 20;
static uint64_t packet_size = 65536;
static bool end_empty, partial_reads = true, nagle, apart, in_pieces;
static double rate;
static const uint8_t *table;

struct connection {
    int fd;
    uint8_t bytes[MAX_REQUEST];
    size_t count;
};

/* What is about to be sent: pieces of memory, in order. */
struct batch {
    int fd;
    struct iovec pieces[MAX_PIECES];
    int count;
    size_t size;
    double due; /* when the link is free again */
    bool failed;
};

static void batch_send(struct batch *batch)
{
    struct msghdr message = {.msg_iov = batch->pieces, .msg_iovlen = (size_t)batch->count};
    while (message.msg_iovlen && !batch->failed) {
        ssize_t sent = sendmsg(batch->fd, &message, MSG_NOSIGNAL);
        if (sent < 0) {
            batch->failed = errno != EINTR;
            continue;
        }
        while (message.msg_iovlen && (size_t)sent >= message.msg_iov->iov_len) {
            sent -= (ssize_t)message.msg_iov->iov_len;
            message.msg_iov++;
            message.msg_iovlen--;
        }
        if (sent) {
            message.msg_iov->iov_base = (uint8_t *)message.msg_iov->iov_base + sent;
            message.msg_iov->iov_len -= (size_t)sent;
        }
    }
    batch->count = 0;
    batch->size = 0;
}

static void batch_add(struct batch *batch, const void *bytes, size_t size)
{
    if (batch->count == MAX_PIECES)
        batch_send(batch);
    batch->pieces[batch->count].iov_base = (void *)(uintptr_t)bytes;
    batch->pieces[batch->count].iov_len = size;
    batch->count++;
    batch->size += size;
}

/* A packet ends here, or (`head`) its head does. */
static void batch_end(struct batch *batch, bool head)
{
    if (head ? in_pieces : apart)
        batch_send(batch);
}

/* Sends what is gathered and waits until a link of that rate would have carried it. */
static void batch_pace(struct batch *batch)
{
    double due = batch->due += (double)batch->size / rate;
    batch_send(batch);
    struct timespec until = {.tv_sec = (time_t)due};
    until.tv_nsec = (long)(1e9 * (due - (double)until.tv_sec));
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static void batch_payload(struct batch *batch, uint32_t handle, uint64_t offset, uint64_t size)
{
    const size_t limit = rate > 0 ? PACED_BATCH_SIZE : BATCH_SIZE;
    while (size && !batch->failed) {
        size_t take = size < PERIOD ? (size_t)size : PERIOD;
        batch_add(batch, table + content_start(handle, offset), take);
        offset += take;
        size -= take;
        if (batch->size >= limit) {
            if (rate > 0)
                batch_pace(batch);
            else
                batch_send(batch);
        }
    }
}

static void fill_head(uint8_t *head, uint32_t type, uint64_t payload, uint32_t transaction_id)
{
    put32(head, (uint32_t)(DATA_HEAD_SIZE + payload));
    put32(head + 4, type);
    put32(head + 8, transaction_id);
}

static void batch_response(struct batch *batch, uint8_t *packet, uint16_t code, uint32_t transaction_id,
                           const uint32_t *parameter)
{
    uint32_t size = parameter != NULL ? 18 : 14;
    put32(packet, size);
    put32(packet + 4, OPERATION_RESPONSE);
    put16(packet + 8, code);
    put32(packet + 10, transaction_id);
    if (parameter != NULL)
        put32(packet + 14, *parameter);
    batch_add(batch, packet, size);
    batch_send(batch);
}

/* The data phase of GetObject and GetPartialObject. The heads are built once: all Data packets but
 * the last have the same.
 */
static void send_object(struct batch *batch, uint32_t handle, uint64_t offset, uint64_t size,
                        uint32_t transaction_id)
{
    uint8_t start[START_DATA_SIZE], data[DATA_HEAD_SIZE], last[DATA_HEAD_SIZE], end[DATA_HEAD_SIZE];
    uint64_t payload = (packet_size ? packet_size : MAX_PACKET) - DATA_HEAD_SIZE;
    uint64_t left = size;

    put32(start, START_DATA_SIZE);
    put32(start + 4, START_DATA);
    put32(start + 8, transaction_id);
    put64(start + 12, size);
    batch_add(batch, start, sizeof start);
    batch_end(batch, false);
    fill_head(data, DATA, payload, transaction_id);
    while (left > payload && !batch->failed) {
        batch_add(batch, data, sizeof data);
        batch_end(batch, true);
        batch_payload(batch, handle, offset + size - left, payload);
        batch_end(batch, false);
        left -= payload;
    }
    if (end_empty && left) {
        fill_head(last, DATA, left, transaction_id);
        batch_add(batch, last, sizeof last);
        batch_end(batch, true);
        batch_payload(batch, handle, offset + size - left, left);
        batch_end(batch, false);
        left = 0;
    }
    fill_head(end, END_DATA, left, transaction_id);
    batch_add(batch, end, sizeof end);
    batch_end(batch, left > 0);
    batch_payload(batch, handle, offset + size - left, left);
    if (rate > 0)
        batch_pace(batch);
    else
        batch_send(batch); /* before the heads above go out of scope */
}

static void send_dataset(struct batch *batch, const uint8_t *bytes, size_t size, uint32_t transaction_id)
{
    uint8_t heads[START_DATA_SIZE + DATA_HEAD_SIZE];
    put32(heads, START_DATA_SIZE);
    put32(heads + 4, START_DATA);
    put32(heads + 8, transaction_id);
    put64(heads + 12, size);
    fill_head(heads + START_DATA_SIZE, END_DATA, size, transaction_id);
    batch_add(batch, heads, START_DATA_SIZE);
    batch_end(batch, false);
    batch_add(batch, heads + START_DATA_SIZE, DATA_HEAD_SIZE);
    batch_end(batch, true);
    batch_add(batch, bytes, size);
    batch_send(batch);
}

/* Fills the dataset an operation answers with; the response code. */
static uint16_t small_operation(uint16_t code, const uint32_t *parameters, struct dataset *set)
{
    bool known = parameters[0] >= 1 && parameters[0] <= objects;
    switch (code) {
    case GET_DEVICE_INFO:
        device_info(set, partial_reads);
        return RESPONSE_OK;
    case OPEN_SESSION:
    case CLOSE_SESSION:
    case GET_NUM_OBJECTS:
        return RESPONSE_OK;
    case GET_STORAGE_IDS:
        add32(set, 1);
        add32(set, STORAGE_ID);
        return RESPONSE_OK;
    case GET_STORAGE_INFO:
        storage_info(set, objects * object_size);
        return RESPONSE_OK;
    case GET_OBJECT_HANDLES:
        object_handles(set, objects);
        return RESPONSE_OK;
    case GET_OBJECT_INFO:
        if (known)
            object_info(set, parameters[0], object_size);
        return known ? RESPONSE_OK : INVALID_OBJECT_HANDLE;
    case GET_OBJECT_PROP_VALUE: /* only ObjectSize, for objects beyond 4 GiB */
        if (!known || parameters[1] != 0xDC04)
            return INVALID_PARAMETER;
        add64(set, object_size);
        return RESPONSE_OK;
    default:
        return OPERATION_NOT_SUPPORTED;
    }
}

static bool serve_request(struct batch *batch, const uint8_t *packet, uint32_t length)
{
    uint32_t parameters[5] = {0}, sent = 0, transaction_id = get32(packet + 14);
    uint16_t code = get16(packet + 12), answer = RESPONSE_OK;
    uint8_t response[18];
    for (uint32_t i = 0; i < 5 && 22 + 4 * i <= length; i++)
        parameters[i] = get32(packet + 18 + 4 * i);

    if (code == GET_OBJECT || code == GET_PARTIAL_OBJECT) {
        bool partial = code == GET_PARTIAL_OBJECT;
        uint64_t offset = partial ? parameters[1] : 0, size = object_size;
        if (parameters[0] < 1 || parameters[0] > objects || offset > size) {
            batch_response(batch, response, INVALID_OBJECT_HANDLE, transaction_id, NULL);
            return !batch->failed;
        }
        size -= offset;
        if (partial && size > parameters[2])
            size = parameters[2];
        send_object(batch, parameters[0], offset, size, transaction_id);
        sent = (uint32_t)size;
        batch_response(batch, response, RESPONSE_OK, transaction_id, partial ? &sent : NULL);
        return !batch->failed;
    }
    struct dataset set = {.bytes = malloc(4096 + 4 * (size_t)objects)};
    if (set.bytes == NULL)
        die("malloc");
    answer = small_operation(code, parameters, &set);
    if (set.size)
        send_dataset(batch, set.bytes, set.size, transaction_id);
    free(set.bytes);
    batch_response(batch, response, answer, transaction_id, code == GET_NUM_OBJECTS ? &objects : NULL);
    return !batch->failed;
}

static bool answer(int fd, const uint8_t *packet, size_t size)
{
    return send(fd, packet, size, MSG_NOSIGNAL) == (ssize_t)size;
}

static bool serve_init(int fd, uint32_t type)
{
    static const uint8_t event_ack[PREFIX_SIZE] = {PREFIX_SIZE, 0, 0, 0, INIT_EVENT_ACK};
    uint8_t ack[40] = {sizeof ack, 0, 0, 0, INIT_COMMAND_ACK, 0, 0, 0, 1, 0, 0, 0};
    if (type == INIT_EVENT_REQUEST)
        return answer(fd, event_ack, sizeof event_ack);
    memcpy(ack + 12, "ptpfast bench...", 16);
    memcpy(ack + 28, "C\0A\0M\0\0", 8);
    put32(ack + 36, 0x00010000);
    return answer(fd, ack, sizeof ack);
}

/* All complete packets that have arrived on one connection; false when it is over. */
static bool serve(struct connection *from, struct batch *batch)
{
    static const uint8_t probe[PREFIX_SIZE] = {PREFIX_SIZE, 0, 0, 0, PROBE_RESPONSE};
    ssize_t got = recv(from->fd, from->bytes + from->count, MAX_REQUEST - from->count, 0);
    if (got <= 0)
        return false;
    from->count += (size_t)got;
    size_t at = 0;
    while (from->count - at >= PREFIX_SIZE) {
        const uint8_t *packet = from->bytes + at;
        uint32_t length = get32(packet), type = get32(packet + 4);
        if (length < PREFIX_SIZE || length > MAX_REQUEST)
            return false;
        if (from->count - at < length)
            break;
        at += length;
        bool good = true;
        if (type == INIT_COMMAND_REQUEST || type == INIT_EVENT_REQUEST)
            good = serve_init(from->fd, type);
        else if (type == PROBE_REQUEST)
            good = answer(from->fd, probe, sizeof probe);
        else if (type == OPERATION_REQUEST && length >= 18)
            good = serve_request(batch, packet, length);
        if (!good)
            return false;
    }
    memmove(from->bytes, from->bytes + at, from->count - at);
    from->count -= at;
    return true;
}

static int accept_one(int listener)
{
    int nodelay = !nagle, fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        die("accept");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &nodelay, sizeof nodelay);
    return fd;
}

/* One Initiator, from its first connection until it closes either of the two. */
static void serve_initiator(int listener)
{
    static struct connection connections[2];
    static struct batch batch;
    int count = 1;
    memset(connections, 0, sizeof connections);
    memset(&batch, 0, sizeof batch);
    connections[0].fd = batch.fd = accept_one(listener);
    for (;;) {
        struct pollfd fds[2] = {{.fd = connections[0].fd, .events = POLLIN},
                                {.fd = count == 2 ? connections[1].fd : listener, .events = POLLIN}};
        if (poll(fds, 2, -1) < 0)
            die("poll");
        if (fds[0].revents) {
            /* A link does not make up for the time in which nobody asked for anything. */
            double now = seconds_now();
            if (batch.due < now)
                batch.due = now;
            if (!serve(&connections[0], &batch))
                break;
        }
        if (fds[1].revents && count == 1) {
            connections[1].fd = accept_one(listener);
            count = 2;
        } else if (fds[1].revents && !serve(&connections[1], &batch)) {
            break;
        }
    }
    for (int i = 0; i < count; i++)
        close(connections[i].fd);
}

static int listen_on_loopback(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) || listen(listener, 4) ||
        getsockname(listener, (struct sockaddr *)&address, &size))
        die("listen");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

int main(int argc, char **argv)
{
    unsigned seconds = 600;
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *value = argv[i + 1];
        if (!strcmp(argv[i], "--objects"))
            objects = (uint32_t)strtoul(value, NULL, 0);
        else if (!strcmp(argv[i], "--size"))
            object_size = strtoull(value, NULL, 0);
        else if (!strcmp(argv[i], "--packet"))
            packet_size = strtoull(value, NULL, 0);
        else if (!strcmp(argv[i], "--end"))
            end_empty = !strcmp(value, "empty");
        else if (!strcmp(argv[i], "--partial"))
            partial_reads = strcmp(value, "0");
        else if (!strcmp(argv[i], "--rate"))
            rate = strtod(value, NULL);
        else if (!strcmp(argv[i], "--nagle"))
            nagle = strcmp(value, "0");
        else if (!strcmp(argv[i], "--writes"))
            apart = strcmp(value, "whole"), in_pieces = !strcmp(value, "pieces");
        else if (!strcmp(argv[i], "--seconds"))
            seconds = (unsigned)strtoul(value, NULL, 0);
    }
    if ((packet_size && packet_size <= DATA_HEAD_SIZE) || packet_size > MAX_PACKET)
        die("--packet");
    end_with_parent(seconds);
    table = content_table();
    if (table == NULL)
        die("malloc");
    int listener = listen_on_loopback();
    for (;;)
        serve_initiator(listener);
}
