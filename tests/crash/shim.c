/* Stands between a process and its disk (LD_PRELOAD): kills the process before, in or after any call
 * that changes a folder, fills the disk at any byte, and writes down all that was done, so that a
 * power cut at that point can be worked out (disk.py).
 *
 * Calls are counted from `crash_arm` on, those alone that change something below its folder. The log
 * has for each that succeeded its letter, number, inode, two figures, and two strings by their length.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OFF, WATCH, KILL, FULL };

static char root[PATH_MAX];
static int mode, log_fd = -1;
static long at, room, seen;

/* From call number `n` on: killed, or without room, after `bytes` more if it is one that writes. */
void crash_arm(const char *folder, int what, long n, long bytes, int log)
{
    snprintf(root, sizeof root, "%s/", folder);
    mode = what, at = n, room = bytes, log_fd = log, seen = 0;
}

static int below(const char *path)
{
    size_t length = strlen(root) - 1;
    return mode && path && !strncmp(path, root, length) && (!path[length] || path[length] == '/');
}

/* The path of a descriptor, if that is below. One that has been unlinked is not. */
static int tracked(int fd, char *path)
{
    char link[64];
    ssize_t length;
    if (!mode)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, path, PATH_MAX - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return below(path);
}

static void die(void)
{
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;)
        pause();
}

/* One more call that changes something; `takes` room, or not. */
enum { GO, SHORT, REFUSED };

static int step(int takes)
{
    seen++;
    if (mode == KILL && seen == at) {
        if (takes && room > 0)
            return SHORT;
        die();
    }
    if (mode == FULL && takes && seen >= at) {
        if (room > 0)
            return SHORT;
        return REFUSED;
    }
    return GO;
}

static void note(char what, ino_t inode, long long first, long long second, const char *one,
                 const struct iovec *two, int count, size_t length)
{
    char head[160];
    struct iovec pieces[16];
    size_t left = length;
    int n = 0;
    if (log_fd < 0)
        return;
    pieces[n].iov_len = (size_t)snprintf(head, sizeof head, "%c %ld %llu %lld %lld %zu %zu\n", what,
                                         seen, (unsigned long long)inode, first, second,
                                         strlen(one), length);
    pieces[n++].iov_base = head;
    pieces[n].iov_base = (char *)one, pieces[n++].iov_len = strlen(one);
    for (int i = 0; i < count && left; i++) {
        pieces[n] = two[i];
        if (pieces[n].iov_len > left)
            pieces[n].iov_len = left;
        left -= pieces[n++].iov_len;
        if (n == 16) {
            syscall(SYS_writev, log_fd, pieces, n);
            n = 0;
        }
    }
    if (n)
        syscall(SYS_writev, log_fd, pieces, n);
}

static void note_names(char what, const char *from, const char *to)
{
    struct iovec piece = {(char *)to, strlen(to)};
    struct stat status;
    ino_t inode = lstat(from[0] ? from : to, &status) ? 0 : status.st_ino;
    note(what, inode, 0, 0, from, &piece, 1, piece.iov_len);
}

static ino_t inode_of(int fd)
{
    struct stat status;
    return fstat(fd, &status) ? 0 : status.st_ino;
}

static int refuse(int code)
{
    errno = code;
    return -1;
}

/* ---- data ---------------------------------------------------------------------------------- */

static ssize_t put(int fd, const struct iovec *pieces, int count, long long offset)
{
    return offset < 0 ? syscall(SYS_writev, fd, pieces, count)
                      : syscall(SYS_pwritev, fd, pieces, count, (long)offset, 0L);
}

static ssize_t put_some(int fd, const struct iovec *pieces, int count, long long offset, size_t most)
{
    struct iovec some[1024];
    int n = 0;
    for (; n < count && n < 1024 && most; n++) {
        some[n] = pieces[n];
        if (some[n].iov_len > most)
            some[n].iov_len = most;
        most -= some[n].iov_len;
    }
    return put(fd, some, n, offset);
}

static ssize_t change(int fd, const struct iovec *pieces, int count, long long offset)
{
    char path[PATH_MAX];
    ssize_t written;
    long long where;
    int how;
    if (!tracked(fd, path))
        return put(fd, pieces, count, offset);
    where = offset;
    if (offset < 0)
        where = syscall(SYS_fcntl, fd, F_GETFL) & O_APPEND ? syscall(SYS_lseek, fd, 0, SEEK_END)
                                                           : syscall(SYS_lseek, fd, 0, SEEK_CUR);
    if ((how = step(1)) == REFUSED)
        return refuse(ENOSPC);
    written = how == SHORT ? put_some(fd, pieces, count, offset, (size_t)room)
                           : put(fd, pieces, count, offset);
    if (written > 0)
        note('W', inode_of(fd), where, written, "", pieces, count, (size_t)written);
    if (how == SHORT) {
        if (mode == KILL)
            die();
        room = 0;
    }
    return written;
}

ssize_t write(int fd, const void *data, size_t size)
{
    struct iovec piece = {(void *)data, size};
    return change(fd, &piece, 1, -1);
}

ssize_t writev(int fd, const struct iovec *pieces, int count)
{
    return change(fd, pieces, count, -1);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    struct iovec piece = {(void *)data, size};
    return change(fd, &piece, 1, offset);
}

ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t offset)
{
    return change(fd, pieces, count, offset);
}

int ftruncate(int fd, off_t length)
{
    char path[PATH_MAX];
    int result;
    if (!tracked(fd, path))
        return (int)syscall(SYS_ftruncate, fd, length);
    step(0);
    if (!(result = (int)syscall(SYS_ftruncate, fd, length)))
        note('T', inode_of(fd), length, 0, "", NULL, 0, 0);
    return result;
}

int fallocate(int fd, int how, off_t offset, off_t size)
{
    char path[PATH_MAX];
    /* All or nothing; and it leaves the length as it is (FALLOC_FL_KEEP_SIZE). */
    if (tracked(fd, path) && step(mode == FULL) != GO)
        return refuse(ENOSPC);
    return (int)syscall(SYS_fallocate, fd, how, offset, size);
}

static int settle(long call, int fd)
{
    char path[PATH_MAX];
    int result;
    if (!tracked(fd, path))
        return (int)syscall(call, fd);
    step(0);
    if (!(result = (int)syscall(call, fd)))
        note('S', inode_of(fd), 0, 0, path, NULL, 0, 0);
    return result;
}

int fsync(int fd) { return settle(SYS_fsync, fd); }
int fdatasync(int fd) { return settle(SYS_fdatasync, fd); }

int futimens(int fd, const struct timespec times[2])
{
    char path[PATH_MAX];
    int result;
    if (!tracked(fd, path))
        return (int)syscall(SYS_utimensat, fd, NULL, times, 0);
    step(0);
    if (!(result = (int)syscall(SYS_utimensat, fd, NULL, times, 0)) && times)
        note('M', inode_of(fd), times[1].tv_sec, times[1].tv_nsec, "", NULL, 0, 0);
    return result;
}

/* ---- names --------------------------------------------------------------------------------- */

static int opening(int folder, const char *path, int flags, mode_t bits)
{
    struct stat status;
    int fd, anew;
    if (!below(path) || (flags & O_ACCMODE) == O_RDONLY)
        return (int)syscall(SYS_openat, folder, path, flags, bits);
    anew = (flags & O_CREAT) && lstat(path, &status);
    if (anew || (flags & O_TRUNC))
        step(0);
    fd = (int)syscall(SYS_openat, folder, path, flags, bits);
    if (fd >= 0 && anew)
        note_names('C', "", path);
    else if (fd >= 0 && (flags & O_TRUNC))
        note('T', inode_of(fd), 0, 0, "", NULL, 0, 0);
    return fd;
}

#define MODE_OF(flags)                                                                             \
    mode_t bits = 0;                                                                               \
    if ((flags) & (O_CREAT | __O_TMPFILE)) {                                                       \
        va_list more;                                                                              \
        va_start(more, flags);                                                                     \
        bits = (mode_t)va_arg(more, int);                                                          \
        va_end(more);                                                                              \
    }

int open(const char *path, int flags, ...)
{
    MODE_OF(flags)
    return opening(AT_FDCWD, path, flags, bits);
}

int openat(int folder, const char *path, int flags, ...)
{
    MODE_OF(flags)
    return opening(folder, path, flags, bits);
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
    int result, inside = below(from) || below(to);
    if (inside)
        step(0);
    result = (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
    if (!result && inside) {
        struct iovec piece = {(char *)to, strlen(to)};
        note('R', 0, 0, 0, from, &piece, 1, piece.iov_len);
    }
    return result;
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    return renameat2(from_folder, from, to_folder, to, 0);
}

int rename(const char *from, const char *to)
{
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags)
{
    int result;
    if (below(to))
        step(0);
    result = (int)syscall(SYS_linkat, from_folder, from, to_folder, to, flags);
    if (!result && below(to))
        note_names('L', from, to);
    return result;
}

int link(const char *from, const char *to)
{
    return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlinkat(int folder, const char *path, int flags)
{
    int result;
    if (below(path))
        step(0);
    result = (int)syscall(SYS_unlinkat, folder, path, flags);
    if (!result && below(path))
        note('U', 0, 0, 0, path, NULL, 0, 0);
    return result;
}

int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int mkdirat(int folder, const char *path, mode_t bits)
{
    int result;
    if (below(path))
        step(0);
    result = (int)syscall(SYS_mkdirat, folder, path, bits);
    if (!result && below(path))
        note('D', 0, 0, 0, path, NULL, 0, 0);
    return result;
}

int mkdir(const char *path, mode_t bits) { return mkdirat(AT_FDCWD, path, bits); }

/* The same under the names of large files. */
#define SAME(name) __attribute__((alias(#name)))
int open64(const char *, int, ...) SAME(open);
int openat64(int, const char *, int, ...) SAME(openat);
ssize_t pwrite64(int, const void *, size_t, off64_t) SAME(pwrite);
ssize_t pwritev64(int, const struct iovec *, int, off64_t) SAME(pwritev);
int ftruncate64(int, off64_t) SAME(ftruncate);
int fallocate64(int, int, off64_t, off64_t) SAME(fallocate);
