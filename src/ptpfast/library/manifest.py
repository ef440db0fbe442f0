"""`SHA256SUMS`: checksums of the files of a run, in the format `sha256sum -c` reads.

An existing manifest is kept and added to; lines it does not understand stay as they are. It is
replaced in one step, so there is never half of one. Several runs may add to one at a time.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .._sink import Descriptor
from ..errors import SinkError
from ..readback import read_back
from ..transfer.syncing import sync_folder
from .checksums import Checksums

MAX_SIZE = 256 << 20  # a million files with the longest names
TURN_S = 10.0  # for another run's turn to be over: it reads and writes one file in it


class Manifest:
    """The checksums of files, by their path from the manifest's folder."""

    def __init__(self, path: Path) -> None:
        """Reads the manifest if there is one. SinkError when it cannot be read."""
        self.path = path
        self._known = _read(path)
        self._added: dict[str, str] = {}  # file → its line, since it was last written

    def __contains__(self, file: Path) -> bool:
        name = self._name(file)
        return name in self._added or name in self._known

    def sha256(self, file: Path) -> str | None:
        """The checksum noted of a file, in hexadecimal; None when there is none."""
        name = self._name(file)
        if (line := self._added.get(name)) is not None:
            return line.removeprefix("\\")[:64].lower()
        return self._known.sha256(name)

    def add(self, file: Path, sha256: str | None = None) -> None:
        """Adds or replaces a file's checksum in hexadecimal; without one the file is read.

        SinkError when it cannot be.
        """
        if sha256 is None:
            try:
                with file.open("rb") as stream:
                    sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
            except OSError as error:
                raise _error(file, error) from error
        name = self._name(file)
        escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
        mark = "\\" if escaped != name else ""
        self._added[name] = f"{mark}{sha256}  {escaped}"

    def write(self) -> None:
        """Writes it in one step if anything was added, to what other runs have added meanwhile.
        SinkError: the old one is still there."""
        if not self._added:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with _turn(self.path.parent) as alone:
                content = _read(self.path).with_lines(self._added)
                mark = "" if alone else f".{os.getpid()}"
                temporary = self.path.with_name(f".{self.path.name}{mark}.new")
                self._replace(temporary, content)
        except OSError as error:
            if isinstance(error, SinkError):
                raise
            raise _error(self.path, error) from error
        self._known = Checksums(content)
        self._added.clear()

    def _replace(self, temporary: Path, content: bytes) -> None:
        temporary.unlink(missing_ok=True)  # a killed run's
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            with open(fd, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(fd)
            os.replace(temporary, self.path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(os.fspath(self.path.parent))

    def _name(self, file: Path) -> str:
        return os.path.relpath(file, self.path.parent)


def _read(path: Path) -> Checksums:
    """The manifest as it is there; an empty one when there is none. SinkError."""
    try:
        content = read_back(path, MAX_SIZE + 1)
    except FileNotFoundError:
        return Checksums()
    except OSError as error:
        raise _error(path, error) from error
    if len(content) > MAX_SIZE:
        raise _error(path, OSError(errno.EFBIG, "too large for a list of checksums"))
    return Checksums(content)


@contextmanager
def _turn(folder: Path) -> Iterator[bool]:
    """While it lasts no other run writes a manifest into the folder, if True. The lock is on the
    folder: a manifest is replaced by another file, and a lock on it would go with the old one."""
    until = time.monotonic() + TURN_S
    with Descriptor(folder, os.O_RDONLY | os.O_DIRECTORY) as held:
        while True:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                alone = True
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)
            except OSError:
                alone = False  # a filesystem without locks: as good as it gets
                break
        yield alone


def _error(path: Path, error: OSError) -> SinkError:
    return SinkError(
        f"cannot read or write {path}: {error.strerror or error}",
        errno=error.errno or 0,
        hint="check the file, or name another manifest",
    )
