/* The C contender: a PTP/IP Initiator that does what `ptpfast` does, as directly as C allows.
 *
 *     initiator --port N --into file|splice|memory|discard [--dir D] [--chunk BYTES] [--sync 0|1]
 *               [--ring BYTES] [--direct BYTES] [--touch 0|1] [--wait 0|1] [--turns 0|1] [--seconds N]
 *
 * The same handshake and operations: Init Command, Init Event, a probe, GetDeviceInfo, OpenSession,
 * GetStorageIDs, GetObjectHandles, GetObjectInfo of each; then, measured, every object with GetObject,
 * or with GetPartialObject in chunks of --chunk bytes; then CloseSession.
 *
 * file: bytes are received into a ring, packet heads read there, and all payload of one read leaves in
 *     one gathered pwritev, into NAME.part with its room reserved; then (--sync) fsync, rename and
 *     (--sync) fsync of the directory.
 * splice: the same files, but the payload goes through a pipe and never into this process (splice.h).
 * memory: one mapping of the object's size, with huge pages asked for as numpy does; payload of which at
 *     least --direct bytes are to come is received straight into it (with the next head in the same
 *     readv), less goes through the ring; --touch writes to every page before. Checked afterwards.
 * discard: payload is received and dropped: what the sender can do at most.
 *
 * With --wait it prints `ready` before the first object and goes on when a line comes, so that several
 * can begin together; with --turns before each, so that they can take turns. Prints one line of JSON: bytes, wall seconds, user and system CPU seconds, peak RSS,
 * reads, and when the first object was begun and the last one done (monotonic clock).
 */
#define _GNU_SOURCE
#include "splice.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>

/* Both contenders rest so long before they measure: numpy's BLAS starts threads that spin at first, and
 * TCP forgets its window in a pause, which must be the same for both. BENCH_SETTLE_S is for who does not measure.
 */
static const double SETTLE_S = 0.25;

/* Where bench/calls.py begins and ends to count system calls: files that nobody has. */
#define MARK_BEGIN "/ptpfast-bench/begin"
#define MARK_END "/ptpfast-bench/end"

enum { INTO_FILE, INTO_SPLICE, INTO_MEMORY, INTO_DISCARD };

static struct {
    int port, into;
    const char *dir;
    uint32_t chunk;
    bool sync, touch, wait, turns;
    size_t ring, direct;
    unsigned seconds;
} options = {.dir = ".", .sync = true, .ring = 1 << 18, .direct = 1 << 15, .seconds = 600};

static struct object {
    uint32_t handle;
    uint64_t size;
    char name[256];
} *objects;
static uint32_t object_count;

static int connect_to_peer(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_port = htons((uint16_t)options.port);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address))
        die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

/* One packet of a handshake out, one in. */
static uint32_t exchange(int fd, const uint8_t *packet, size_t size, uint8_t *in, size_t room)
{
    send_all(fd, packet, size);
    if (recv(fd, in, PREFIX_SIZE, MSG_WAITALL) != PREFIX_SIZE || get32(in) > room)
        die("handshake");
    size_t rest = get32(in) - PREFIX_SIZE;
    if (rest && recv(fd, in + PREFIX_SIZE, rest, MSG_WAITALL) != (ssize_t)rest)
        die("handshake");
    return get32(in + 4);
}

static int shake_hands(int command)
{
    uint8_t in[512], init[34] = {sizeof init, 0, 0, 0, INIT_COMMAND_REQUEST};
    uint8_t event[12] = {sizeof event, 0, 0, 0, INIT_EVENT_REQUEST};
    uint8_t probe[PREFIX_SIZE] = {PREFIX_SIZE, 0, 0, 0, PROBE_REQUEST};
    memcpy(init + 8, "C contender.....pc", 16);
    memcpy(init + 24, "p\0c\0\0", 6);
    put32(init + 30, 0x00010000);
    if (exchange(command, init, sizeof init, in, sizeof in) != INIT_COMMAND_ACK)
        die("Init Command Ack");
    memcpy(event + 8, in + 8, 4);
    int fd = connect_to_peer();
    if (exchange(fd, event, sizeof event, in, sizeof in) != INIT_EVENT_ACK)
        die("Init Event Ack");
    if (exchange(fd, probe, sizeof probe, in, sizeof in) != PROBE_RESPONSE)
        die("Probe Response");
    return fd;
}

/* A dataset as a whole; `bytes` grows as needed. */
static size_t get_dataset(struct channel *channel, uint16_t code, const uint32_t *parameters, int count,
                          uint8_t **bytes, size_t room)
{
    struct sink sink = {.kind = SINK_MEMORY, .memory = *bytes, .room = room};
    transact(channel, &sink, code, parameters, count);
    return (size_t)sink.position;
}

static void list_objects(struct channel *channel)
{
    const size_t room = 1 << 20;
    uint8_t *bytes = malloc(room);
    if (bytes == NULL)
        die("malloc");
    channel->transaction_id = 0; /* outside a session it stays 0 */
    get_dataset(channel, GET_DEVICE_INFO, NULL, 0, &bytes, room);
    channel->transaction_id = 0;
    get_dataset(channel, OPEN_SESSION, (uint32_t[]){1}, 1, &bytes, room);
    get_dataset(channel, GET_STORAGE_IDS, NULL, 0, &bytes, room);
    get_dataset(channel, GET_OBJECT_HANDLES, (uint32_t[]){0xFFFFFFFF, 0, 0}, 3, &bytes, room);
    object_count = get32(bytes);
    objects = calloc(object_count, sizeof *objects);
    if (objects == NULL)
        die("calloc");
    for (uint32_t i = 0; i < object_count; i++)
        objects[i].handle = get32(bytes + 4 + 4 * i);
    for (uint32_t i = 0; i < object_count; i++) {
        struct object *object = &objects[i];
        get_dataset(channel, GET_OBJECT_INFO, &object->handle, 1, &bytes, room);
        object->size = get32(bytes + 8);
        for (int unit = 0; unit < bytes[52]; unit++)
            object->name[unit] = (char)bytes[53 + 2 * unit];
        if (object->size == 0xFFFFFFFF) {
            get_dataset(channel, GET_OBJECT_PROP_VALUE, (uint32_t[]){object->handle, 0xDC04}, 2, &bytes, room);
            object->size = get32(bytes) | (uint64_t)get32(bytes + 4) << 32;
        }
    }
    free(bytes);
}

static void read_part(struct channel *channel, struct sink *sink, uint16_t code, const uint32_t *parameters, int count)
{
    static int pipes[2];
    if (options.into == INTO_SPLICE && !pipes[1] && (pipe(pipes) || fcntl(pipes[1], F_SETPIPE_SZ, PIPE_SIZE) < 0))
        die("pipe");
    if (options.into == INTO_SPLICE)
        splice_transact(channel, pipes, sink, code, parameters, count);
    else
        transact(channel, sink, code, parameters, count);
}

static void read_object(struct channel *channel, struct sink *sink, const struct object *object)
{
    if (!options.chunk)
        read_part(channel, sink, GET_OBJECT, &object->handle, 1);
    while (options.chunk && sink->position < object->size) {
        uint64_t left = object->size - sink->position;
        uint32_t size = left < options.chunk ? (uint32_t)left : options.chunk;
        uint32_t parameters[] = {object->handle, (uint32_t)sink->position, size};
        read_part(channel, sink, GET_PARTIAL_OBJECT, parameters, 3);
    }
    if (sink->position != object->size)
        die("object of another size");
}

static void download(struct channel *channel, int directory, const struct object *object)
{
    char part[512];
    snprintf(part, sizeof part, "%s.part", object->name);
    struct sink sink = {.kind = SINK_FILE, .room = object->size};
    sink.fd = openat(directory, part, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (sink.fd < 0)
        die(part);
    fallocate(sink.fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)object->size); /* where it is supported */
    read_object(channel, &sink, object);
    if (ftruncate(sink.fd, (off_t)sink.position) || (options.sync && fsync(sink.fd)) || close(sink.fd) ||
        renameat(directory, part, directory, object->name) || (options.sync && fsync(directory)))
        die("finish");
}

static uint8_t *map_memory(uint64_t size, bool touch)
{
    uint8_t *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        die("mmap");
    if (size >= 1 << 22)
        madvise(memory, size, MADV_HUGEPAGE);
    for (uint64_t at = 0; touch && at < size; at += 4096)
        memory[at] = 1;
    return memory;
}

/* As numpy.empty: fresh pages, huge ones if the kernel has them to give. The kernel is made to have
 * them: in a virtual machine the first use of a page costs many times the transfer, by chance.
 */
static uint8_t *fresh_memory(uint64_t size)
{
    if (!options.touch)
        munmap(map_memory(size, true), size);
    return map_memory(size, options.touch);
}

static void check_content(const uint8_t *memory, const struct object *object)
{
    uint8_t *table = content_table();
    if (table == NULL)
        die("malloc");
    for (uint64_t at = 0; at < object->size; at += PERIOD) {
        uint64_t size = object->size - at < PERIOD ? object->size - at : PERIOD;
        if (memcmp(memory + at, table + content_start(object->handle, at), size)) {
            errno = 0;
            die("content");
        }
    }
    free(table);
}

/* Has the kernel own the pages of all files to come: see fresh_memory. */
static void warm_up_files(void)
{
    enum { BLOCK = 1 << 20 };
    char path[4096];
    uint8_t *block = calloc(1, BLOCK);
    snprintf(path, sizeof path, "%s/warm-up", options.dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (block == NULL || fd < 0)
        die(path);
    for (uint32_t i = 0; i < object_count; i++)
        for (uint64_t at = 0; at < objects[i].size; at += BLOCK)
            if (write(fd, block, BLOCK) != BLOCK)
                die(path);
    close(fd);
    unlink(path);
    free(block);
}

struct cost {
    double seconds, user, system, began, ended;
    uint64_t reads;
};

static struct cost cost_now(const struct channel *channel)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (struct cost){.seconds = seconds_now(),
                         .user = (double)usage.ru_utime.tv_sec + 1e-6 * (double)usage.ru_utime.tv_usec,
                         .system = (double)usage.ru_stime.tv_sec + 1e-6 * (double)usage.ru_stime.tv_usec,
                         .reads = channel->reads};
}

/* Whoever started us lets several contenders go at once, or take turns. */
static void wait_for_the_word(void)
{
    printf("ready\n");
    fflush(stdout);
    if (getchar() == EOF)
        exit(1);
}

/* All objects one after the other; only this is measured. */
static uint64_t measure(struct channel *channel, struct cost *cost)
{
    uint64_t bytes = 0;
    bool files = options.into == INTO_FILE || options.into == INTO_SPLICE;
    int directory = files ? open(options.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    for (uint32_t i = 0; i < object_count; i++) {
        const struct object *object = &objects[i];
        uint8_t *memory = options.into == INTO_MEMORY ? fresh_memory(object->size) : NULL;
        if (options.turns)
            wait_for_the_word();
        access(MARK_BEGIN, F_OK);
        struct cost before = cost_now(channel);
        struct sink sink = {.kind = memory ? SINK_MEMORY : SINK_DISCARD, .memory = memory, .room = object->size};
        if (files)
            download(channel, directory, object);
        else
            read_object(channel, &sink, object);
        struct cost after = cost_now(channel);
        access(MARK_END, F_OK);
        cost->seconds += after.seconds - before.seconds;
        cost->user += after.user - before.user;
        cost->system += after.system - before.system;
        cost->reads += after.reads - before.reads;
        cost->began = i ? cost->began : before.seconds;
        cost->ended = after.seconds;
        bytes += object->size;
        if (memory != NULL) {
            check_content(memory, object);
            munmap(memory, object->size);
        }
    }
    return bytes;
}

static long peak_kib(void)
{
    /* Not ru_maxrss: that starts with the size of the process that started us. */
    char line[256];
    long peak = 0;
    FILE *status = fopen("/proc/self/status", "re");
    while (status != NULL && fgets(line, sizeof line, status) != NULL)
        if (sscanf(line, "VmHWM: %ld", &peak) == 1)
            break;
    if (status != NULL)
        fclose(status);
    return peak;
}

static void read_options(int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *name = argv[i], *value = argv[i + 1];
        uint64_t number = strtoull(value, NULL, 0);
        if (!strcmp(name, "--port"))
            options.port = (int)number;
        else if (!strcmp(name, "--into"))
            options.into = !strcmp(value, "file")     ? INTO_FILE
                           : !strcmp(value, "splice") ? INTO_SPLICE
                           : !strcmp(value, "memory") ? INTO_MEMORY
                                                      : INTO_DISCARD;
        else if (!strcmp(name, "--dir"))
            options.dir = value;
        else if (!strcmp(name, "--chunk"))
            options.chunk = (uint32_t)number;
        else if (!strcmp(name, "--sync"))
            options.sync = number;
        else if (!strcmp(name, "--touch"))
            options.touch = number;
        else if (!strcmp(name, "--ring"))
            options.ring = number;
        else if (!strcmp(name, "--direct"))
            options.direct = number;
        else if (!strcmp(name, "--wait"))
            options.wait = number;
        else if (!strcmp(name, "--turns"))
            options.turns = number;
        else if (!strcmp(name, "--seconds"))
            options.seconds = (unsigned)number;
    }
}

int main(int argc, char **argv)
{
    struct cost cost = {0};
    read_options(argc, argv);
    end_with_parent(options.seconds);
    struct channel channel = {.fd = connect_to_peer(), .size = options.ring, .direct = options.direct};
    channel.ring = malloc(options.ring);
    if (channel.ring == NULL)
        die("malloc");
    int event = shake_hands(channel.fd);
    list_objects(&channel);
    const char *settle = getenv("BENCH_SETTLE_S");
    usleep((useconds_t)((settle ? atof(settle) : SETTLE_S) * 1e6));
    if (options.into == INTO_FILE || options.into == INTO_SPLICE)
        warm_up_files();
    if (options.wait)
        wait_for_the_word();
    uint64_t bytes = measure(&channel, &cost);
    transact(&channel, NULL, CLOSE_SESSION, NULL, 0);
    close(event);
    close(channel.fd);
    printf("{\"bytes\": %llu, \"seconds\": %.6f, \"user\": %.6f, \"system\": %.6f, \"peak_kib\": %ld, "
           "\"reads\": %llu, \"began\": %.6f, \"ended\": %.6f}\n",
           (unsigned long long)bytes, cost.seconds, cost.user, cost.system, peak_kib(), (unsigned long long)cost.reads,
           cost.began, cost.ended);
    return 0;
}
