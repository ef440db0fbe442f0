"""A folder that is as odd as it is told to be: a FUSE filesystem over another folder.

It runs as a process of its own, which `mounted.py` starts: `odd_folder.py BELOW MOUNTPOINT MANNER`.
`ready` on standard output says that the folder is there; the end of standard input ends it.

MANNER is a JSON object:

    refuse     {operation: errno's name}; operations are the methods of `OddFolder`, and
               `unlink_open`, `rename_open`, `rename_flags`, `utimens`, `truncate`, `chmod`, `setlk`
    times      {operation: n}: it is refused at the first n times only
    inodes     `anew` (another number at each look-up), `changing` (at each look), or a number that
               all files have
    hides      true: what is removed or replaced while it is open gets a name `.fuse_hidden…`
    dates      `ignored`; {"step": s}, {"most": t}, {"least": t}: what becomes of dates, in seconds
    space      fields of statvfs
    largest    bytes of the longest file
    fills      true: fallocate makes the file longer
    names      {"longest": bytes, "ascii": errno's name}
    owner      the user whom every file belongs to
"""

from __future__ import annotations

import errno
import json
import os
import struct
import sys
import threading
from typing import Any

import protocol
from protocol import Request

ROOT = 1


class OddFolder:
    """Hands everything on to the folder below, but for what its manner says."""

    def __init__(self, below: str, manner: dict[str, Any]) -> None:
        self._manner = manner
        self._paths = {ROOT: below}
        self._nodes = {below: ROOT}
        self._last = ROOT
        self._looks = 1_000_000
        self._open: dict[int, str] = {}  # descriptor → path
        self._refused: dict[str, int] = {}
        self._hidden: set[str] = set()

    def _may(self, *operations: str) -> None:
        """OSError where the manner refuses one of these."""
        for operation in operations:
            name = self._manner.get("refuse", {}).get(operation)
            most = self._manner.get("times", {}).get(operation)
            done = self._refused.get(operation, 0)
            if name is not None and (most is None or done < most):
                self._refused[operation] = done + 1
                raise OSError(getattr(errno, name), operation)

    # Names

    def _node(self, path: str) -> int:
        if path not in self._nodes or self._manner.get("inodes") == "anew":
            self._last += 1
            self._nodes[path] = self._last
            self._paths[self._last] = path
        return self._nodes[path]

    def _child(self, request: Request, name: str, parent: int | None = None) -> str:
        names = self._manner.get("names", {})
        if len(os.fsencode(name)) > names.get("longest", 255):
            raise OSError(errno.ENAMETOOLONG, name)
        if "ascii" in names and not name.isascii():
            raise OSError(getattr(errno, names["ascii"]), name)
        return os.path.join(self._paths[request.node if parent is None else parent], name)

    def _moved(self, old: str, new: str) -> None:
        """All names of what was at `old` are at `new`."""
        for node, path in self._paths.items():
            if path == old or path.startswith(old + "/"):
                self._paths[node] = new + path[len(old) :]
        self._nodes = {path: node for node, path in self._paths.items()}
        self._open = {fd: new if path == old else path for fd, path in self._open.items()}

    def _clear(self, path: str) -> None:
        """Removes a file, or hides it while it is open, as libfuse does."""
        if path in self._open.values() and self._manner.get("hides"):
            hidden = os.path.join(os.path.dirname(path), f".fuse_hidden{len(self._hidden):08x}")
            os.rename(path, hidden)
            self._moved(path, hidden)
            self._hidden.add(hidden)
        else:
            os.unlink(path)
            self._moved(path, f"/gone/{self._last}/{os.path.basename(path)}")

    # What is there

    def _attributes(self, node: int, fd: int | None = None) -> bytes:
        path = self._paths[node]
        try:
            status = os.lstat(path)
        except FileNotFoundError:  # removed while it is open
            fds = [fd, *(fd for fd, name in self._open.items() if name == path)]
            if not (fds := [fd for fd in fds if fd is not None]):
                raise
            status = os.fstat(fds[0])
        inodes = self._manner.get("inodes", "kept")
        if inodes == "changing" and node != ROOT:
            self._looks += 1
            inode = self._looks
        elif isinstance(inodes, int) and node != ROOT:
            inode = inodes
        else:
            inode = node if inodes == "anew" else status.st_ino
        owner = self._manner.get("owner", status.st_uid)
        return protocol.attributes(status, inode, owner, status.st_mtime_ns)

    def _entry(self, path: str) -> bytes:
        os.lstat(path)
        node = self._node(path)
        return protocol.entry(node, self._attributes(node))

    def lookup(self, request: Request) -> bytes:
        return self._entry(self._child(request, request.name()))

    def forget(self, request: Request) -> None:
        pass  # the tests are short

    def getattr(self, request: Request) -> bytes:
        flags, _, fd = request.take("<2IQ")
        self._may("getattr")
        found = self._attributes(request.node, fd if flags & protocol.GETATTR_FH else None)
        return struct.pack("<Q2I", 0, 0, 0) + found

    def setattr(self, request: Request) -> bytes:
        fields = request.take("<2I6Q8I")
        valid, fd, size, atime, mtime = fields[0], fields[2], fields[3], fields[5], fields[6]
        atime_ns, mtime_ns, mode = fields[8], fields[9], fields[11]
        path = self._paths[request.node]
        if valid & protocol.SET_SIZE:
            self._may("truncate")
            os.truncate(fd if valid & protocol.SET_FH else path, size)
        if valid & protocol.SET_MODE:
            self._may("chmod")
            os.chmod(path, mode & 0o7777)
        if valid & (protocol.SET_MTIME | protocol.SET_ATIME):
            self._may("utimens")
            moment = [
                _signed(atime) * 10**9 + atime_ns,
                _signed(mtime) * 10**9 + mtime_ns,
            ]
            self._date(path, moment, now=bool(valid & protocol.SET_MTIME_NOW))
        return struct.pack("<Q2I", 0, 0, 0) + self._attributes(request.node)

    def _date(self, path: str, moment: list[int], *, now: bool) -> None:
        dates = self._manner.get("dates", {})
        if now or dates == "ignored":
            return
        step = dates.get("step", 0) * 10**9
        atime, mtime = moment
        mtime = mtime // step * step if step else mtime
        mtime = min(mtime, dates.get("most", 1 << 33) * 10**9)
        mtime = max(mtime, dates.get("least", -(1 << 33)) * 10**9)
        os.utime(path, ns=(atime, mtime))

    def statfs(self, request: Request) -> bytes:
        self._may("statfs")
        found = os.statvfs(self._paths[ROOT])
        names = ("blocks", "bfree", "bavail", "files", "ffree", "bsize", "namemax", "frsize")
        told = [self._manner.get("space", {}).get(n, getattr(found, f"f_{n}")) for n in names]
        return struct.pack("<5Q3I28x", *told)

    def opendir(self, request: Request) -> bytes:
        return struct.pack("<Q2I", 0, 0, 0)

    def readdir(self, request: Request) -> bytes:
        self._may("readdir")
        _, offset, size = request.take("<2QI")
        names, found = [".", "..", *sorted(os.listdir(self._paths[request.node]))], b""
        for number, name in enumerate(names[offset:], offset + 1):
            row = protocol.directory_entry(number, number, name)
            if len(found) + len(row) > size:
                break
            found += row
        return found

    def releasedir(self, request: Request) -> None:
        pass

    # Names made and removed

    def mkdir(self, request: Request) -> bytes:
        mode, _ = request.take("<2I")
        path = self._child(request, request.name())
        self._may("mkdir")
        os.mkdir(path, mode)
        return self._entry(path)

    def rmdir(self, request: Request) -> None:
        os.rmdir(self._child(request, request.name()))

    def unlink(self, request: Request) -> None:
        path = self._child(request, request.name())
        self._may("unlink", *(["unlink_open"] if path in self._open.values() else []))
        self._clear(path)

    def link(self, request: Request) -> bytes:
        (node,) = request.take("<Q")
        path = self._child(request, request.name())
        self._may("link")
        os.link(self._paths[node], path)
        return self._entry(path)

    def rename(self, request: Request) -> None:
        (parent,) = request.take("<Q")
        self._rename(request, parent, 0)

    def rename2(self, request: Request) -> None:
        parent, flags, _ = request.take("<Q2I")
        self._rename(request, parent, flags)

    def _rename(self, request: Request, parent: int, flags: int) -> None:
        old = self._child(request, request.name())
        new = self._child(request, request.name(), parent)
        self._may("rename", *(["rename_flags"] if flags else []))
        self._may(*(["rename_open"] if old in self._open.values() else []))
        if os.path.lexists(new):
            if flags:
                raise OSError(errno.EEXIST, new)
            if not os.path.isdir(new):
                self._clear(new)
        os.rename(old, new)
        self._moved(old, new)

    # Files

    def create(self, request: Request) -> bytes:
        flags, mode, umask, _ = request.take("<4I")
        path = self._child(request, request.name())
        self._may("create")
        fd = os.open(path, flags & ~os.O_NOFOLLOW | os.O_CREAT, mode & ~umask)
        self._open[fd] = path
        return self._entry(path) + struct.pack("<Q2I", fd, 0, 0)

    def open(self, request: Request) -> bytes:
        flags, _ = request.take("<2I")
        self._may("open")
        path = self._paths[request.node]
        fd = os.open(path, flags & ~(os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_APPEND))
        self._open[fd] = path
        return struct.pack("<Q2I", fd, 0, 0)

    def read(self, request: Request) -> bytes:
        fd, offset, size = request.take("<2QI")
        self._may("read")
        return os.pread(fd, size, offset)

    def write(self, request: Request) -> bytes:
        fd, offset, size, *_ = request.take("<2Q2IQ2I")
        self._may("write")
        data = request.data()[:size]
        largest = self._manner.get("largest", 1 << 62)
        if offset >= largest:
            raise OSError(errno.EFBIG, "too long")
        return struct.pack("<2I", os.pwrite(fd, data[: largest - offset], offset), 0)

    def fallocate(self, request: Request) -> None:
        fd, offset, size, _, _ = request.take("<3Q2I")
        self._may("fallocate")
        if offset + size > self._manner.get("largest", 1 << 62):
            raise OSError(errno.EFBIG, "too long")
        if self._manner.get("fills"):
            os.posix_fallocate(fd, offset, size)

    def flush(self, request: Request) -> None:
        self._may("flush")

    def fsync(self, request: Request) -> None:
        self._may("fsync")

    def fsyncdir(self, request: Request) -> None:
        self._may("fsyncdir")

    def setlk(self, request: Request) -> None:
        if request.take("<4Q4I")[4] != protocol.TYPE_UNLOCK:
            self._may("setlk")

    def release(self, request: Request) -> None:
        (fd,) = request.take("<Q")
        path = self._open.pop(fd)
        os.close(fd)
        if path in self._hidden and path not in self._open.values():
            self._hidden.discard(path)
            os.unlink(path)


def _signed(seconds: int) -> int:
    return seconds - (1 << 64) if seconds >= 1 << 63 else seconds


def main(below: str, mountpoint: str, text: str) -> None:
    manner = json.loads(text)
    os.umask(0)  # the caller's has been applied
    options = "rw,nosuid,nodev,fsname=odd,subtype=odd"
    descriptor = protocol.mount(mountpoint, options)
    locks = "setlk" in manner.get("refuse", {})
    server = protocol.Server(descriptor, OddFolder(below, manner), locks=locks)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    threading.Thread(target=server.run, daemon=True).start()
    sys.stdin.read()
    os._exit(0)  # the mount goes with the process


if __name__ == "__main__":
    main(*sys.argv[1:])
