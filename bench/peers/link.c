/* A radio link in user space: two network namespaces, a TUN device in each, and this program between
 * them, which holds every packet as long as a link of that rate and delay would have held it.
 *
 *     link [--rate BYTES_PER_S] [--delay S] [--jitter S] [--queue BYTES] [--loss FRACTION]
 *          [--outage EVERY_S,LENGTH_S] [--cliff EVERY_S,LENGTH_S,BYTES_PER_S] [--seed N] [--seconds N]
 *
 * Needs root (or CAP_NET_ADMIN and CAP_SYS_ADMIN). Makes both namespaces, prints
 * `camera FD computer FD` and forwards until SIGTERM; then prints what it carried and dropped. Others
 * enter by `nsenter --net=/proc/PID/fd/FD`. The namespaces have no name anywhere and end with their
 * last process, so there is nothing to remove, however this program ends. They have no other
 * interface than these two: nothing gets out. The camera is 10.77.0.1, the computer 10.77.0.2.
 *
 * Each direction is a queue of `--queue` bytes (what comes when it is full is dropped), a rate, and a
 * one-way delay of `--delay` ± `--jitter`. Packets stay in order, as on a radio, which acknowledges
 * and repeats below IP. `--loss` is what gets lost even so. In an outage nothing leaves.
 *
 * At SIGUSR1 the clock of outages and cliffs starts anew, so that everybody who takes a turn meets the
 * same ones; at SIGUSR2 it prints a line of JSON: the monotonic clock at that start, and the bytes that
 * reached the computer in each STEP_S since.
 *
 * Packets cross as the kernel's segmentation offload makes them: up to 64 KiB of one stream in one
 * piece, as a radio aggregates frames. Their air time is that of the 1,500-byte packets they stand
 * for. Carried one by one, these would take a core at 100 MB/s.
 */
#define _GNU_SOURCE
#include "common.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/ioctl.h>

enum { LARGEST = 65536 + 64, MTU = 1500, BURST = 32 };

/* Jitter is that of a channel, not of a packet: it stays for this long, then is drawn again. */
#define JITTER_S 0.004

struct packet {
    struct packet *next;
    double due; /* when it is there */
    size_t size;
    uint8_t bytes[];
};

struct direction {
    int from, to;
    struct packet *first, *last;
    double free_at; /* when the air is */
    double latest;  /* when the last packet is there: none overtakes it */
    double jitter, jitter_until;
    uint64_t random, packets, bytes, dropped, lost;
    bool computer; /* it is the one towards the computer */
};

static double rate = 1e9, delay, jitter, loss, queue = 1e6;
static double outage_every, outage_length, cliff_every, cliff_length, cliff_rate;
static volatile sig_atomic_t over, restarted, asked;

#define STEP_S 0.05
enum { STEPS = 1 << 15 };
static double epoch;
static uint64_t arrived[STEPS];
static int steps;

static double draw(struct direction *way)
{
    way->random = way->random * 6364136223846793005u + 1442695040888963407u;
    return (double)(way->random >> 11) / (double)(1ull << 53);
}

/* Bytes on the air: those of all the packets that a piece from segmentation offload stands for. */
static size_t air_bytes(const uint8_t *bytes, size_t size)
{
    struct virtio_net_hdr head;
    memcpy(&head, bytes, sizeof head);
    bytes += sizeof head;
    size -= sizeof head;
    if (head.gso_type == VIRTIO_NET_HDR_GSO_NONE || !head.gso_size || size < head.csum_start + 20u)
        return size;
    /* The head's hdr_len is only a hint; where the TCP header starts and how long it is, is certain. */
    size_t headers = head.csum_start + 4u * (bytes[head.csum_start + 12] >> 4);
    if (size <= headers)
        return size;
    size_t packets = (size - headers + head.gso_size - 1) / head.gso_size;
    return size + (packets - 1) * headers;
}

/* Every `every` seconds of the clock something lasts `length`, at the end of them: how much of it is left
 * at `time`.
 */
static double left_of(double every, double length, double time)
{
    time -= epoch;
    if (every <= 0 || time < 0)
        return 0;
    double into = time - every * (double)(uint64_t)(time / every);
    return into >= every - length ? every - into : 0;
}

/* Takes what has come from one side: into the queue, or dropped. */
static void take(struct direction *way, double now)
{
    static uint8_t bytes[LARGEST];
    for (int i = 0; i < BURST; i++) {
        ssize_t got = read(way->from, bytes, sizeof bytes);
        if (got <= (ssize_t)sizeof(struct virtio_net_hdr))
            return;
        double size = (double)air_bytes(bytes, (size_t)got);
        double start = way->free_at > now ? way->free_at : now;
        if ((start - now) * rate > queue) {
            way->dropped++;
            continue;
        }
        start += left_of(outage_every, outage_length, start);
        way->free_at = start + size / (left_of(cliff_every, cliff_length, start) > 0 ? cliff_rate : rate);
        if (loss > 0 && draw(way) < loss) {
            way->lost++; /* after it has used the air */
            continue;
        }
        if (start > way->jitter_until) {
            way->jitter = jitter * (2 * draw(way) - 1);
            way->jitter_until = start + JITTER_S;
        }
        struct packet *packet = malloc(sizeof *packet + (size_t)got);
        if (packet == NULL)
            die("malloc");
        double due = way->free_at + delay + way->jitter;
        way->latest = packet->due = due > way->latest ? due : way->latest;
        packet->size = (size_t)got;
        packet->next = NULL;
        memcpy(packet->bytes, bytes, (size_t)got);
        if (way->first == NULL)
            way->first = packet;
        else
            way->last->next = packet;
        way->last = packet;
    }
}

static void note(double now, size_t size)
{
    int step = (int)((now - epoch) / STEP_S);
    if (step < 0 || step >= STEPS)
        return;
    arrived[step] += size;
    if (step >= steps)
        steps = step + 1;
}

static void start_anew(void)
{
    memset(arrived, 0, sizeof arrived);
    steps = 0;
    epoch = seconds_now();
    restarted = 0;
}

static void say_what_arrived(void)
{
    printf("{\"epoch\": %.6f, \"step\": %g, \"bytes\": [", epoch, STEP_S);
    for (int i = 0; i < steps; i++)
        printf("%s%llu", i ? "," : "", (unsigned long long)arrived[i]);
    printf("]}\n");
    fflush(stdout);
    asked = 0;
}

/* Hands over what is due; when the next will be, or a second from now. */
static double give(struct direction *way, double now)
{
    while (way->first != NULL && way->first->due <= now) {
        struct packet *packet = way->first;
        way->first = packet->next;
        way->packets++;
        way->bytes += packet->size - sizeof(struct virtio_net_hdr);
        if (way->computer)
            note(now, packet->size - sizeof(struct virtio_net_hdr));
        if (write(way->to, packet->bytes, packet->size) < 0)
            way->dropped++; /* the other side's interface is down: it is ending */
        free(packet);
    }
    return way->first != NULL ? way->first->due : now + 1;
}

static void setting(const char *path, const char *value)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0 && write(fd, value, strlen(value)) < 0)
        die(path);
    if (fd >= 0)
        close(fd);
}

static void up(int control, struct ifreq *request)
{
    request->ifr_flags = IFF_UP | IFF_RUNNING;
    if (ioctl(control, SIOCSIFFLAGS, request))
        die("interface up");
}

static void put_address(struct ifreq *request, const char *text)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = inet_addr(text)};
    memcpy(&request->ifr_addr, &address, sizeof address);
}

/* A new namespace becomes ours, with a TUN device of that address; the namespace's descriptor. */
static int make_side(const char *address, int *tun)
{
    if (unshare(CLONE_NEWNET))
        die("a new network namespace");
    int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (control < 0 || (*tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC)) < 0)
        die("/dev/net/tun");
    struct ifreq request = {.ifr_name = "radio", .ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR};
    if (ioctl(*tun, TUNSETIFF, &request) || ioctl(*tun, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4))
        die("TUN device");
    request.ifr_mtu = MTU;
    if (ioctl(control, SIOCSIFMTU, &request))
        die("MTU");
    put_address(&request, address);
    if (ioctl(control, SIOCSIFADDR, &request))
        die("address");
    put_address(&request, "255.255.255.0");
    if (ioctl(control, SIOCSIFNETMASK, &request))
        die("netmask");
    /* The queue of the link is here; the device's own must not lose anything before it. */
    request.ifr_qlen = 10000;
    ioctl(control, SIOCSIFTXQLEN, &request);
    up(control, &request);
    strcpy(request.ifr_name, "lo");
    up(control, &request);
    close(control);
    /* The same on every machine, whatever that one is set to: buffers as Linux comes, and Reno, which
     * is what small stacks have and the only one that every kernel lets a namespace choose. */
    setting("/proc/sys/net/ipv4/tcp_congestion_control", "reno");
    setting("/proc/sys/net/ipv4/tcp_rmem", "4096 131072 6291456");
    setting("/proc/sys/net/ipv4/tcp_wmem", "4096 16384 4194304");
    /* One run's losses must not set the pace of the next. */
    setting("/proc/sys/net/ipv4/tcp_no_metrics_save", "1");
    return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

static void heard(int number)
{
    if (number == SIGTERM)
        over = 1;
    else if (number == SIGUSR1)
        restarted = 1;
    else
        asked = 1;
}

static void read_options(int argc, char **argv, struct direction *ways, unsigned *seconds)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *value = argv[i + 1];
        if (!strcmp(argv[i], "--rate"))
            rate = strtod(value, NULL);
        else if (!strcmp(argv[i], "--delay"))
            delay = strtod(value, NULL);
        else if (!strcmp(argv[i], "--jitter"))
            jitter = strtod(value, NULL);
        else if (!strcmp(argv[i], "--queue"))
            queue = strtod(value, NULL);
        else if (!strcmp(argv[i], "--loss"))
            loss = strtod(value, NULL);
        else if (!strcmp(argv[i], "--outage"))
            sscanf(value, "%lf,%lf", &outage_every, &outage_length);
        else if (!strcmp(argv[i], "--cliff"))
            sscanf(value, "%lf,%lf,%lf", &cliff_every, &cliff_length, &cliff_rate);
        else if (!strcmp(argv[i], "--seed"))
            ways[0].random = strtoull(value, NULL, 0), ways[1].random = ~ways[0].random;
        else if (!strcmp(argv[i], "--seconds"))
            *seconds = (unsigned)strtoul(value, NULL, 0);
        else
            errno = EINVAL, die(argv[i]);
    }
    if (rate <= 0 || (cliff_every > 0 && cliff_rate <= 0))
        errno = EINVAL, die("--rate");
}

int main(int argc, char **argv)
{
    struct direction ways[2] = {{.random = 1, .computer = true}, {.random = 2}};
    unsigned seconds = 600;
    read_options(argc, argv, ways, &seconds);
    end_with_parent(seconds);
    int camera_tun, computer_tun;
    int camera = make_side("10.77.0.1", &camera_tun), computer = make_side("10.77.0.2", &computer_tun);
    ways[0].from = ways[1].to = camera_tun;
    ways[0].to = ways[1].from = computer_tun;
    prctl(PR_SET_TIMERSLACK, 20000); /* 20 us: fewer wakes than packets */
    signal(SIGTERM, heard);
    signal(SIGUSR1, heard);
    signal(SIGUSR2, heard);
    start_anew();
    printf("camera %d computer %d\n", camera, computer);
    fflush(stdout);
    while (!over) {
        if (restarted)
            start_anew();
        if (asked)
            say_what_arrived();
        double now = seconds_now(), next = give(&ways[0], now), other = give(&ways[1], now);
        double wait = (next < other ? next : other) - now;
        struct timespec timeout = {(time_t)wait, (long)(1e9 * (wait - (double)(time_t)wait))};
        struct pollfd fds[2] = {{.fd = camera_tun, .events = POLLIN}, {.fd = computer_tun, .events = POLLIN}};
        if (ppoll(fds, 2, &timeout, NULL) < 0 && errno != EINTR)
            die("ppoll");
        now = seconds_now();
        for (int i = 0; i < 2; i++)
            if (fds[i].revents)
                take(&ways[i], now);
    }
    printf("{\"bytes\": %llu, \"packets\": %llu, \"dropped\": %llu, \"lost\": %llu}\n",
           (unsigned long long)(ways[0].bytes + ways[1].bytes),
           (unsigned long long)(ways[0].packets + ways[1].packets),
           (unsigned long long)(ways[0].dropped + ways[1].dropped),
           (unsigned long long)(ways[0].lost + ways[1].lost));
    return 0;
}
