"""The kernel's side of FUSE, as far as one folder needs it (protocol 7.31, linux/fuse.h).

`Server` reads requests from /dev/fuse and calls the method of its folder of the operation's name.
Layouts are here; what a folder does is not.
"""

from __future__ import annotations

import array
import errno
import os
import socket
import stat
import struct
import subprocess
from typing import Any

HEADER = struct.Struct("<IIQQIIIHH")
REPLY = struct.Struct("<IiQ")
ATTRIBUTES = struct.Struct("<6Q10I")
MAJOR, MINOR = 7, 31
MAX_WRITE = 1 << 17
FLOCK_LOCKS = 1 << 10  # asks us of flock()
GETATTR_FH = 1
SET_MODE, SET_UID, SET_GID, SET_SIZE, SET_ATIME, SET_MTIME, SET_FH = 1, 2, 4, 8, 16, 32, 64
SET_ATIME_NOW, SET_MTIME_NOW = 128, 256
LOCK_FLOCK = 1
TYPE_UNLOCK = 2

OPERATIONS = {
    1: "lookup",
    2: "forget",
    3: "getattr",
    4: "setattr",
    9: "mkdir",
    10: "unlink",
    11: "rmdir",
    12: "rename",
    13: "link",
    14: "open",
    15: "read",
    16: "write",
    17: "statfs",
    18: "release",
    20: "fsync",
    25: "flush",
    26: "init",
    27: "opendir",
    28: "readdir",
    29: "releasedir",
    30: "fsyncdir",
    31: "getlk",
    32: "setlk",
    33: "setlk",
    35: "create",
    42: "forget",
    43: "fallocate",
    45: "rename2",
}
UNANSWERED = {"forget"}


def mount(mountpoint: str, options: str) -> int:
    """Mount a folder with fusermount3.

    Returns:
        The descriptor the kernel is spoken to by.
    """
    ours, theirs = socket.socketpair()
    with ours, theirs:
        subprocess.run(
            ["fusermount3", "-o", options, "--", mountpoint],
            pass_fds=[theirs.fileno()],
            env=os.environ | {"_FUSE_COMMFD": str(theirs.fileno())},
            check=True,
        )
        _, ancillary, _, _ = ours.recvmsg(1, socket.CMSG_LEN(4))
    return array.array("i", ancillary[0][2])[0]


class Request:
    """A request: `node`, and `take(layout)`, `name()` for what follows the header."""

    def __init__(self, packet: bytes) -> None:
        size, code, self.unique, self.node, self.uid, self.gid = HEADER.unpack_from(packet)[:6]
        self.operation = OPERATIONS.get(code, "")
        self._rest = memoryview(packet)[HEADER.size : size]

    def take(self, layout: str) -> tuple[Any, ...]:
        fields = struct.unpack_from(layout, self._rest)
        self._rest = self._rest[struct.calcsize(layout) :]
        return fields

    def name(self) -> str:
        name, _, rest = bytes(self._rest).partition(b"\0")
        self._rest = memoryview(rest)
        return os.fsdecode(name)

    def data(self) -> memoryview:
        return self._rest


class Server:
    """Answers the kernel with what `folder` says, one request at a time, until it is unmounted."""

    def __init__(self, descriptor: int, folder: Any, *, locks: bool) -> None:
        self._descriptor = descriptor
        self._folder = folder
        self._flags = FLOCK_LOCKS if locks else 0

    def run(self) -> None:
        while True:
            try:
                packet = os.read(self._descriptor, MAX_WRITE + (1 << 16))
            except InterruptedError:
                continue
            except OSError as error:
                if error.errno == errno.ENOENT:  # the request was interrupted
                    continue
                return  # ENODEV: unmounted
            request = Request(packet)
            error, body = 0, b""
            try:
                body = self._answer(request)
            except OSError as refused:
                error, body = -(refused.errno or errno.EIO), b""
            if request.operation not in UNANSWERED:
                self._reply(request.unique, error, body)

    def _answer(self, request: Request) -> bytes:
        if request.operation == "init":
            return self._init()
        method = getattr(self._folder, request.operation, None)
        if method is None:
            raise OSError(errno.ENOSYS, "not offered")
        return method(request) or b""

    def _init(self) -> bytes:
        return struct.pack(
            "<4I2H2I2HI28x", MAJOR, MINOR, 1 << 17, self._flags, 16, 12, MAX_WRITE, 1, 0, 0, 0
        )

    def _reply(self, unique: int, error: int, body: bytes) -> None:
        try:
            os.write(self._descriptor, REPLY.pack(REPLY.size + len(body), error, unique) + body)
        except FileNotFoundError:
            pass  # who asked has been killed


def attributes(status: os.stat_result, inode: int, uid: int, changed_ns: int) -> bytes:
    times = [status.st_atime_ns, changed_ns, status.st_ctime_ns]
    seconds, parts = zip(*(divmod(time, 10**9) for time in times), strict=True)
    wide = [second % (1 << 64) for second in seconds]
    return ATTRIBUTES.pack(
        *(inode, status.st_size, status.st_blocks, *wide, *parts),
        *(status.st_mode, status.st_nlink, uid, status.st_gid, 0, 4096, 0),
    )


def entry(node: int, attribute: bytes) -> bytes:
    return struct.pack("<4Q2I", node, 0, 0, 0, 0, 0) + attribute


def directory_entry(inode: int, offset: int, name: str) -> bytes:
    encoded = os.fsencode(name)
    padding = b"\0" * (-len(encoded) % 8)
    kind = stat.S_IFDIR >> 12 if name in (".", "..") else 0
    return struct.pack("<2Q2I", inode, offset, len(encoded), kind) + encoded + padding
