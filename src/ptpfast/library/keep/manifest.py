"""`SHA256SUMS`: checksums of the files of a run, in the format that `sha256sum -c` reads.

An existing manifest is kept and extended; unknown lines stay. It is replaced in one step, so it is
never incomplete. Several runs may extend it at a time.

A file that is not a manifest stays and raises SinkError. For a path from the caller this happens at
once. For `SHA256SUMS` it happens at the end of the run, so that no picture has to wait.
"""

from __future__ import annotations

import errno
import os
import threading
from functools import partial
from pathlib import Path

from ...engine.text import in_text
from ...ownership import files
from ...ownership.folders import Held, make, turn
from ...ownership.readback import open_regular, read_back, sha256_of
from ...ptp.errors import SinkError, disk_error
from ...transfer.syncing import sync_file, sync_folder
from .checksums import Checksums, is_line, is_line_begun, why_no_list

MAX_SIZE = 64 << 20  # more than half a million files
TURN_S = 10.0  # for another run's turn to be over: it reads and writes one file in it
_PROOF_SIZE = 1 << 16  # of a killed run's: enough to tell what it is
_writing = threading.Lock()  # where a filesystem has no locks, threads have one
_MANY = 1 << 31  # names a manifest may have: where it is replaced, the others keep the old one


def _forget_parents() -> None:
    """Renew the lock in a forked child: another thread of the parent may have held it."""
    global _writing
    _writing = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parents)


class Manifest:
    """The checksums of files, by their path from the manifest's folder."""

    def __init__(self, path: Path, *, later: bool = False) -> None:
        """Read the manifest if there is one.

        Raises:
            SinkError: it cannot be read, or is another file; with `later`, `check` raises it.
        """
        self.path = path
        self._known = Checksums()
        self._is_unread = later
        try:
            self._known, self._is_unread = _read(path), False
        except SinkError:
            if not later:
                raise
        self._added: dict[str, str | None] = {}  # file → its line, if any, since last written
        self._lock = threading.Lock()  # the cameras of a run add to one; held for no disk

    def check(self) -> None:
        """Look whether the manifest can be added to, before the first checksum is. SinkError."""
        if self._is_unread:
            self._known, self._is_unread = _read(self.path), False
        try:
            _mode(self.path)
        except OSError as error:
            raise _error(self.path, error) from error

    def __contains__(self, file: Path) -> bool:
        name = self._name(file)
        with self._lock:
            return self._added[name] is not None if name in self._added else name in self._known

    def sha256(self, file: Path) -> str | None:
        """Return the recorded checksum of a file in hex; None without one."""
        name = self._name(file)
        with self._lock:
            if name not in self._added:
                return self._known.sha256(name)
            line = self._added[name]
        return None if line is None else line.removeprefix("\\")[:64].lower()

    def add(self, file: Path, sha256: str | None = None) -> None:
        """Add or replace a file's checksum in hex; without one the file is read. SinkError."""
        if sha256 is None:
            try:
                sha256 = sha256_of(file)
            except OSError as error:
                raise _error(file, error) from error
        name = self._name(file)
        escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
        mark = "\\" if escaped != name else ""
        with self._lock:
            self._added[name] = f"{mark}{sha256}  {escaped}"

    def drop(self, file: Path) -> None:
        """Drop a file's line."""
        with self._lock:
            self._added[self._name(file)] = None

    def write(self, held: Held | None = None) -> None:
        """Write the changes in one step, and keep what other runs have added.

        Args:
            held: the folder, if it must be the same one still; otherwise a missing folder is
                created.

        Raises:
            SinkError: it cannot be written; the old manifest stays.
        """
        with _writing:
            self._write(held)

    def _write(self, held: Held | None) -> None:
        with self._lock:
            added = dict(self._added)
        if not added:
            return
        folder = os.fspath(self.path.parent)
        try:
            if held is None:
                make(folder)
            else:
                held.check()
            with turn(folder, TURN_S) as alone:
                if alone is None:
                    why = "another run or program has locked the folder"
                    raise OSError(errno.EWOULDBLOCK, why)
                known = _read(self.path)
                with self._lock:
                    self._known = known
                content = known.with_lines(added)
                key = "" if alone else str(os.getpid())
                mode = _mode(self.path)
                with files.replacing(self.path, partial(_is_like, content), key=key) as fd:
                    if mode is not None:
                        files.permit(fd, mode)  # others may not read more than before
                    with open(fd, "wb", closefd=False) as file:
                        file.write(content)
                    sync_file(fd)
            sync_folder(folder)
        except OSError as error:
            if isinstance(error, SinkError):
                raise
            raise _error(self.path, error) from error
        with self._lock:
            self._known = Checksums()  # the old text goes before the new one is looked through
            self._known = Checksums(content)
            for name, line in added.items():
                if self._added[name] == line:  # else another one came meanwhile
                    del self._added[name]

    def _name(self, file: Path) -> str:
        # `sha256sum -c` follows the names from where the list really is.
        place, folder = os.path.realpath(file.parent), os.path.realpath(self.path.parent)
        return in_text(os.path.relpath(os.path.join(place, file.name), folder))


def _read(path: Path) -> Checksums:
    """Return the manifest as it is; empty if there is none. SinkError, also for any other file."""
    try:
        with open_regular(path) as held:
            if os.fstat(held.number).st_size > MAX_SIZE:
                raise OSError(errno.EFBIG, "too large for a list of checksums")
        content = read_back(path, MAX_SIZE)
        if why := why_no_list(content):
            raise OSError(errno.EINVAL, why)
    except FileNotFoundError:
        return Checksums()
    except OSError as error:
        raise _error(path, error) from error
    return Checksums(content)


def _mode(path: Path) -> int | None:
    """Return the permissions of the existing manifest. OSError if it must not be replaced."""
    try:
        with files.open_ours(os.fspath(path), names=_MANY) as held:
            return os.fstat(held.number).st_mode & 0o777
    except FileNotFoundError:
        return None


def _is_like(content: bytes | bytearray, fd: int) -> bool:
    """Whether the file is the beginning of a list that is like this one: a killed run's."""
    head = os.pread(fd, _PROOF_SIZE, 0).rstrip(b"\0")
    *lines, last = head.split(b"\n")
    return content.startswith(head) or (all(map(is_line, lines)) and is_line_begun(last))


def _error(path: Path, error: OSError) -> SinkError:
    return disk_error(
        "read or write",
        path,
        error,
        hint="check the disk; move it away if it is no list of checksums, then run it again",
    )
