"""Destinations of payload: a file, the caller's memory, or a callback.

A sink does not know packets, sockets or time. It is filled in one of two ways, whichever suits it:
the engine hands it the payload pieces of one read (`write`), or receives straight into the memory
it lends (`window`, then `commit`). Both run without the GIL. Python ends it with `finish`
(everything arrived) or `abandon` (it did not, keep what is there).

One sink may outlive many data phases: the partial reads of one object all go into the same sink,
and `position` is where the next byte goes.

It is over 400 lines because the three kinds share one C interface, and each alone would be a module
of a hundred; and because a file's checksum is computed where it is written.
"""

import errno as _errno
import os

import cython
from cpython.buffer cimport (
    PyBUF_C_CONTIGUOUS,
    PyBUF_FORMAT,
    PyBUF_SIMPLE,
    PyBUF_WRITABLE,
    PyBuffer_Release,
    PyObject_GetBuffer,
)
from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_Resize
from cpython.exc cimport PyErr_CheckSignals
from cpython.mem cimport PyMem_RawFree, PyMem_RawMalloc
from libc.errno cimport EINTR, errno
from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcpy

from .buffers import require_plain
from .errors import disk_error

cdef extern from * nogil:
    """
    #include <errno.h>
    #include <fcntl.h>
    #include <stdio.h>
    #include <sys/stat.h>
    #include <sys/statvfs.h>
    #include <sys/types.h>
    #include <sys/uio.h>
    #include <unistd.h>
    /* Reserves blocks behind the end of a file and leaves its length alone. 0, or an errno. */
    static int ptpfast_reserve(int fd, long long offset, long long size) {
        /* What cannot fit is not tried: it would fill the disk on its way to failing. A disk of no
           blocks, or of blocks of no bytes, tells nothing. */
        struct statvfs disk;
        if (!fstatvfs(fd, &disk) && disk.f_blocks && disk.f_frsize
            && (unsigned long long)disk.f_bfree < (unsigned long long)size / disk.f_frsize)
            return ENOSPC;
    #if defined(__linux__)
        #ifndef FALLOC_FL_KEEP_SIZE
        #define FALLOC_FL_KEEP_SIZE 1
        #endif
        return fallocate(fd, FALLOC_FL_KEEP_SIZE, offset, size) ? errno : 0;
    #elif defined(__APPLE__)
        fstore_t store = {F_ALLOCATEALL, F_PEOFPOSMODE, 0, size, 0};
        (void)offset;
        return fcntl(fd, F_PREALLOCATE, &store) ? errno : 0;
    #else
        (void)fd; (void)offset; (void)size;
        return EOPNOTSUPP;
    #endif
    }
    /* Of a file in bytes; -1 with an errno. */
    static long long ptpfast_length(int fd) {
        struct stat status;
        return fstat(fd, &status) ? -1 : (long long)status.st_size;
    }
    /* Has the system begin to write that to the disk, where it can be told so. */
    static void ptpfast_write_back(int fd, long long offset, long long size) {
    #if defined(SYNC_FILE_RANGE_WRITE)
        (void)sync_file_range(fd, offset, size, SYNC_FILE_RANGE_WRITE);
    #else
        (void)fd; (void)offset; (void)size;
    #endif
    }
    /* Renames unless there is something of the new name. 0, or an errno. */
    static int ptpfast_rename_new(const char *old, const char *new) {
    #if defined(RENAME_NOREPLACE)
        return renameat2(AT_FDCWD, old, AT_FDCWD, new, RENAME_NOREPLACE) ? errno : 0;
    #elif defined(RENAME_EXCL)
        return renamex_np(old, new, RENAME_EXCL) ? errno : 0;
    #else
        (void)old; (void)new;
        return ENOSYS;
    #endif
    }
    """
    int getpid()
    long long ptpfast_length(int fd)
    void ptpfast_write_back(int fd, long long offset, long long size)
    int ptpfast_rename_new(const char *old, const char *new) nogil
    int ptpfast_reserve(int fd, long long offset, long long size)
    ssize_t pwritev(int fd, const iovec *pieces, int count, long long offset)
    int ptpfast_close "close"(int fd) nogil
    ssize_t pread(int fd, void *to, size_t size, long long offset)

cdef extern from "Python.h":
    bytes PyUnicode_EncodeFSDefault(object)

cdef size_t CHUNK_SIZE = 1 << 20
# The disk is set to work each time so much has come: then little is left for the fsync at the end,
# for which everybody waits.
cdef uint64_t WRITE_BACK_SIZE = 4 << 20
# The first growth of our own memory; later it doubles: at most twice the received bytes.
cdef size_t FIRST_GROWTH = 1 << 16
cdef uint64_t NO_LIMIT = <uint64_t>0xFFFFFFFFFFFFFFFF


# A file is read back by so much at a time.
cdef size_t READ_SIZE = 1 << 18


@cython.final
cdef class Checksum:
    """A running 128-bit checksum, much faster than the link: against what a disk loses or another
    program changes, not against an attacker (checksum.h). Used like the objects of hashlib."""

    name = "fast"

    def __cinit__(self):
        ptpfast_checksum_init(&self.state)

    @property
    def size(self):
        """The number of bytes so far."""
        return self.state.size

    def update(self, data):
        """Add bytes."""
        cdef Py_buffer view
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            with nogil:
                ptpfast_checksum_add(&self.state, <const uint8_t *>view.buf, <size_t>view.len)
        finally:
            PyBuffer_Release(&view)

    def read(self, int descriptor, uint64_t until):
        """Add the bytes of a file from `size` up to `until`, or to its end; return the new
        `size`. Raises OSError."""
        cdef ssize_t got = 0
        cdef int code
        cdef size_t want
        cdef uint8_t *block = <uint8_t *>PyMem_RawMalloc(READ_SIZE)
        if block == NULL:
            raise MemoryError
        try:
            while self.state.size < until:
                want = min(<uint64_t>READ_SIZE, until - self.state.size)
                with nogil:
                    got = pread(descriptor, block, want, <long long>self.state.size)
                    code = errno
                    if got > 0:
                        ptpfast_checksum_add(&self.state, block, <size_t>got)
                if got < 0 and code != EINTR:
                    raise OSError(code, os.strerror(code))
                if not got:
                    break
                PyErr_CheckSignals()
        finally:
            PyMem_RawFree(block)
        return self.state.size

    def copy(self):
        """Return a copy with the same state."""
        cdef Checksum other = Checksum.__new__(Checksum)
        other.state = self.state
        return other

    def hexdigest(self):
        """Return the checksum of all bytes so far, 32 hex digits."""
        cdef uint64_t value[2]
        ptpfast_checksum_value(&self.state, value)
        return f"{value[0]:016x}{value[1]:016x}"


cdef class Sink:
    """A destination of payload. `position` is the offset at which its next byte goes.

    Use FileSink, MemorySink or CallbackSink; this is their base class.
    """

    def __init__(self):
        if not isinstance(self, (FileSink, MemorySink, CallbackSink)):
            raise TypeError("use FileSink, MemorySink or CallbackSink")

    def rewind(self, position):
        """Drop the bytes after `position`, to receive them again. Raises ValueError."""
        if not 0 <= position <= self.position:
            raise ValueError(f"cannot rewind from {self.position} to {position}")
        self._drop(position)
        self.position = position

    def put(self, data):
        """Write bytes that are here already, as if they had been received. Raises ValueError."""
        cdef Py_buffer view
        cdef iovec piece
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            if <uint64_t>view.len > self.room():
                raise ValueError(f"{view.len} bytes do not fit into the sink")
            piece.iov_base = view.buf
            piece.iov_len = view.len
            if view.len:
                self.write(&piece, 1)
        finally:
            PyBuffer_Release(&view)

    cdef int _drop(self, uint64_t position) except -1:
        return 0  # memory is simply written again

    cdef uint8_t *window(self, size_t *size) except? NULL nogil:
        size[0] = 0
        return NULL

    cdef int commit(self, size_t size) except -1 nogil:
        self.position += size
        return 0

    cdef int write(self, iovec *pieces, int count) except -1 nogil:
        """Copy the pieces into the memory that the sink would have lent for them."""
        cdef uint8_t *to
        cdef const uint8_t *source
        cdef size_t size = 0, left, take
        cdef int i
        for i in range(count):
            source = <const uint8_t *>pieces[i].iov_base
            left = pieces[i].iov_len
            while left:
                to = self.window(&size)
                if not size:
                    with gil:
                        raise RuntimeError("the sink has no room")
                take = left if left < size else size
                memcpy(to, source, take)
                self.commit(take)
                source += take
                left -= take
        return 0

    cdef uint64_t room(self) noexcept nogil:
        return NO_LIMIT


@cython.final
cdef class Descriptor:
    """An open file that cannot leak, even if a signal handler raises.

    Python runs signal handlers between its own instructions: one that raises behind `os.open` and
    before its result is in a variable leaves the file open, and locked, for good. This is closed
    with `close`, at the end of its `with`, or with the last reference to it. OSError as `os.open`.
    """

    def __cinit__(self):
        self.number = -1

    def __init__(self, path, int flags, int mode=0o666):
        self.number = os.open(path, flags | os.O_CLOEXEC, mode)

    def fileno(self):
        return self.number

    def close(self):
        """Close the file. Safe to call twice. Never raises: some filesystems return any error."""
        cdef int fd = self.number
        self.number = -1
        if fd >= 0:
            with nogil:
                ptpfast_close(fd)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __dealloc__(self):
        if self.number >= 0:
            os.close(self.number)


@cython.final
cdef class FileSink(Sink):
    """Write into a file. The length of the file is always the number of bytes that are in it.

    Args:
        path: the partial file; it is created if missing. A symbolic link is refused.
        offset: where to continue; the file must be at least that long, and is cut there.
        size: the final length, if known. Space is reserved at once, so that a full disk is found
            before the camera is asked.
        descriptor: use this open file; the caller closes it.
        before: called once before the first byte is written.
        checksum: of the first `offset` bytes; it is continued without the GIL.

    Raises:
        SinkError: the file cannot be opened, reserved or written. Only `abandon` is allowed then.
    """

    def __cinit__(self):
        self._fd = -1
        self._process = getpid()

    def __init__(
        self,
        path,
        *,
        offset=0,
        size=None,
        descriptor=None,
        before=None,
        Checksum checksum=None,
    ):
        cdef int code
        self.path = os.fsdecode(path)
        if checksum is not None and checksum.state.size != offset:
            raise ValueError(f"the checksum is of {checksum.size} bytes, not of {offset}")
        self._checksum = checksum
        self._marked_at = NO_LIMIT
        self._before = before
        self._lent = descriptor is not None
        try:
            # Non-blocking, so that a FIFO of that name is an error and no trap.
            flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
            self._fd = descriptor if self._lent else os.open(path, flags, 0o666)
            length = ptpfast_length(self._fd)
            if length < 0:
                code = errno  # before anything else changes it
                raise OSError(code, os.strerror(code))
            if length < offset:
                raise ValueError(f"{self.path} is shorter than {offset} bytes")
            if length > offset:
                os.ftruncate(self._fd, offset)
        except OSError as error:
            self.abandon()
            raise disk_error("open", self.path, error, received=0) from error
        except ValueError:
            self.abandon()
            raise
        self.position = self._reserved = self._written_back = offset
        self._fresh = True
        if size is not None and size > offset:
            self._reserve(size)

    cdef int _reserve(self, uint64_t until) except -1:
        """Reserve space before the camera is asked: while it sends, this would compete with it."""
        cdef uint64_t size = until - self.position
        cdef int code
        self._reserved = until  # even if it fails: some of it may be taken then
        with nogil:
            code = ptpfast_reserve(self._fd, <long long>self.position, <long long>size)
        if not code and ptpfast_length(self._fd) > <long long>self.position:
            os.ftruncate(self._fd, self.position)  # some filesystems reserve by writing zeros
        # Filesystems without it (EOPNOTSUPP, ENOSYS, EINVAL) do without; no room is final.
        if code in _NO_ROOM:
            self.abandon()
            doing = f"reserve {size:,} bytes in"
            raise disk_error(doing, self.path, _os_error(code), received=self.position)
        return 0

    cdef int _first(self) except -1 nogil:
        self._fresh = False
        if self._before is not None:
            with gil:
                self._before()
        return 0

    cdef int write(self, iovec *pieces, int count) except -1 nogil:
        cdef ssize_t written
        cdef int code
        if self._fresh:
            self._first()
        while count:
            written = pwritev(self._fd, pieces, count, <long long>self.position)
            if written < 0:
                code = errno
                if code == EINTR:
                    continue
                with gil:
                    raise disk_error("write", self.path, _os_error(code), received=self.position)
            self.position += <size_t>written
            if self._checksum is not None:  # while it is in the processor's cache
                self._add(pieces, <size_t>written)
            # Step over what was written; a short write goes on in the middle of a piece.
            while count and <size_t>written >= pieces[0].iov_len:
                written -= <ssize_t>pieces[0].iov_len
                pieces += 1
                count -= 1
            if count:
                pieces[0].iov_base = <uint8_t *>pieces[0].iov_base + written
                pieces[0].iov_len -= <size_t>written
        if self.position - self._written_back >= WRITE_BACK_SIZE:
            ptpfast_write_back(self._fd, <long long>self._written_back,
                               <long long>(self.position - self._written_back))
            self._written_back = self.position
        return 0

    cdef int _drop(self, uint64_t position) except -1:
        back = position != self.position
        if back and self._checksum is not None and position != self._marked_at:
            raise ValueError("what is in the checksum can be taken back to a mark only")
        try:
            os.ftruncate(self._fd, position)
        except OSError as error:
            raise disk_error("cut", self.path, error, received=position) from error
        if back and self._checksum is not None:
            self._checksum.state = self._marked_checksum.state
        self._written_back = min(self._written_back, position)
        return 0

    def mark(self):
        """Remember the position and the checksum: `rewind` can return here."""
        self._marked_at = NO_LIMIT  # until the checksum is copied
        if self._checksum is not None:
            self._marked_checksum = self._checksum.copy()
        self._marked_at = self.position

    @property
    def marked(self):
        """The position at the last `mark` and its checksum, read-only; None without a mark."""
        if self._marked_at == NO_LIMIT:
            return None
        return self._marked_at, self._marked_checksum

    cdef void _add(self, const iovec *pieces, size_t size) noexcept nogil:
        """Add the first `size` bytes of the pieces to the checksum."""
        cdef size_t take
        while size:
            take = min(size, pieces.iov_len)
            ptpfast_checksum_add(&self._checksum.state, <const uint8_t *>pieces.iov_base, take)
            size -= take
            pieces += 1

    def finish(self, *, sync=True):
        """End the file, with `sync` after its data has reached the disk. Raises SinkError."""
        if self._fd < 0:
            return
        if getpid() != self._process:
            self._close()
            raise RuntimeError("this file belongs to the process that opened it")
        try:
            if self._reserved > self.position:  # give back what is not needed
                os.ftruncate(self._fd, self.position)
            if sync:
                os.fsync(self._fd)
        except OSError as error:
            raise disk_error("flush", self.path, error, received=self.position) from error
        finally:
            self._close()

    def abandon(self):
        """End the file and keep its bytes. Never raises for the disk; safe to call twice."""
        if self._fd < 0:
            return
        try:
            # Never in a forked child: its parent may have written more.
            if self._reserved > self.position and getpid() == self._process:
                os.ftruncate(self._fd, self.position)
        except OSError:
            pass  # only a reservation is lost to view; the length was right before
        self._close()

    cdef int _close(self) except -1:
        cdef int fd = self._fd
        self._fd = -1
        if not self._lent:
            os.close(fd)
        return 0

    def __dealloc__(self):
        if self._fd >= 0 and not self._lent:
            os.close(self._fd)


@cython.final
cdef class MemorySink(Sink):
    """Write into memory: yours, or a growing bytearray.

    Args:
        buffer: any writable C-contiguous buffer of numbers. It is held until `finish` or `abandon`.
        offset: the byte of the buffer at which to begin.

    Raises:
        BufferError, ValueError: the buffer is read-only or not contiguous.
        TypeError: no buffer, or one of Python objects.

    Notes:
        Without a buffer, the memory grows with the received bytes, never with the announced size.
    """

    def __init__(self, buffer=None, *, offset=0):
        if buffer is None:
            self._own = bytearray()
            return
        PyObject_GetBuffer(buffer, &self._export,
                           PyBUF_WRITABLE | PyBUF_C_CONTIGUOUS | PyBUF_FORMAT)
        self._exported = True
        try:
            require_plain(
                buffer,
                None if self._export.format is NULL else self._export.format.decode("latin-1"),
                self._export.itemsize,
            )
        except BaseException:
            self.abandon()
            raise
        if not 0 <= offset <= self._export.len:
            self.abandon()
            raise ValueError(f"offset {offset} is outside the buffer")
        self._start = <uint8_t *>self._export.buf
        self._capacity = self._export.len
        self.position = offset

    cdef uint8_t *window(self, size_t *size) except? NULL nogil:
        if self._own is not None and self.position == self._capacity:
            with gil:
                self._grow()
        size[0] = self._capacity - self.position
        return self._start + self.position

    cdef int _grow(self) except -1:
        cdef size_t more = max(FIRST_GROWTH, 2 * self._capacity)
        PyByteArray_Resize(self._own, more)
        self._start = <uint8_t *>PyByteArray_AS_STRING(self._own)
        self._capacity = more
        return 0

    cdef uint64_t room(self) noexcept nogil:
        if self._own is not None:
            return NO_LIMIT
        return self._capacity - self.position

    def finish(self):
        """Release the caller's buffer. Return the sink's own bytearray if there was none."""
        if self._own is None:
            self.abandon()
            return None
        own, self._own = self._own, None
        PyByteArray_Resize(own, self.position)
        self._start, self._capacity = NULL, self.position
        return own

    def abandon(self):
        """Release the buffer with the received bytes in it. Safe to call twice."""
        if self._exported:
            self._exported = False
            self._start, self._capacity = NULL, self.position
            PyBuffer_Release(&self._export)

    def __dealloc__(self):
        if self._exported:
            PyBuffer_Release(&self._export)


@cython.final
cdef class CallbackSink(Sink):
    """Pass memoryviews of `chunk_size` bytes to a callback, in order; the last may be shorter.

    Args:
        callback: called with each memoryview. It is valid during the call; slice or copy it to keep
            it.
        chunk_size: bytes.

    Notes:
        An exception from the callback ends the transfer and reaches the caller.
    """

    def __init__(self, callback, *, chunk_size=CHUNK_SIZE):
        if chunk_size < 1:
            raise ValueError("chunk_size must be at least 1")
        self._callback = callback
        self._capacity = chunk_size
        self._renew()

    cdef int _renew(self) except -1:
        self._chunk = bytearray(self._capacity)
        self._start = <uint8_t *>PyByteArray_AS_STRING(self._chunk)
        return 0

    cdef uint8_t *window(self, size_t *size) except? NULL nogil:
        size[0] = self._capacity - self._filled
        return self._start + self._filled

    cdef int commit(self, size_t size) except -1 nogil:
        self.position += size
        self._filled += size
        if self._filled == self._capacity:
            with gil:
                self._deliver()
        return 0

    cdef int _deliver(self) except -1:
        view = memoryview(self._chunk)[:self._filled]
        self._filled = 0
        try:
            self._callback(view)
        finally:
            view.release()
            try:
                self._chunk.pop()  # refused while a slice of it is kept somewhere
                self._chunk.append(0)
                self._start = <uint8_t *>PyByteArray_AS_STRING(self._chunk)
            except BufferError:
                self._renew()
        return 0

    cdef int _drop(self, uint64_t position) except -1:
        if self.position - position > self._filled:
            raise ValueError("what was delivered cannot be taken back")
        self._filled -= self.position - position
        return 0

    def finish(self):
        """Deliver the last bytes."""
        if self._filled:
            self._deliver()

    def abandon(self):
        """Drop the bytes that were not delivered."""
        self.position -= self._filled
        self._filled = 0


_NO_ROOM = frozenset([_errno.ENOSPC, _errno.EDQUOT, _errno.EFBIG])


def rename_new(old, new):
    """Rename a file in one step; raise FileExistsError if the new name exists.

    Raises OSError with ENOSYS or EINVAL if the system or the filesystem cannot do this.
    """
    cdef bytes from_ = PyUnicode_EncodeFSDefault(old), to = PyUnicode_EncodeFSDefault(new)
    cdef const char *source = from_
    cdef const char *target = to
    cdef int code
    with nogil:  # a slow disk must not hold up other threads
        code = ptpfast_rename_new(source, target)
    if code:
        raise OSError(code, os.strerror(code), old, None, new)


def _os_error(code):
    return OSError(code, os.strerror(code))
