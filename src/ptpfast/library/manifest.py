"""`SHA256SUMS`: checksums of the files of a run, in the format `sha256sum -c` reads.

An existing manifest is kept and added to; lines it does not understand stay as they are. It is
replaced in one step, so there is never half of one. Several runs may add to one at a time.
"""

from __future__ import annotations

import errno
import os
from functools import partial
from pathlib import Path

from ..errors import SinkError
from ..ownership import files
from ..ownership.folders import Held, make, turn
from ..readback import read_back, sha256_of
from ..text import in_text
from ..transfer.syncing import sync_file, sync_folder
from .checksums import Checksums, is_line

MAX_SIZE = 256 << 20  # a million files with the longest names
TURN_S = 10.0  # for another run's turn to be over: it reads and writes one file in it
_PROOF_SIZE = 1 << 16  # of a killed run's: enough to tell what it is
_MANY = 1 << 31  # names a manifest may have: where it is replaced, the others keep the old one


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
                sha256 = sha256_of(file)
            except OSError as error:
                raise _error(file, error) from error
        name = self._name(file)
        escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
        mark = "\\" if escaped != name else ""
        self._added[name] = f"{mark}{sha256}  {escaped}"

    def write(self, held: Held | None = None) -> None:
        """Writes it in one step if anything was added, to what other runs have added meanwhile.
        held: its folder, where it must be that one still; else it is made if it is missing.
        SinkError: the old one is still there."""
        if not self._added:
            return
        folder = os.fspath(self.path.parent)
        try:
            if held is None:
                make(folder)
            else:
                held.check()
            with turn(folder, TURN_S) as alone:
                if alone is None:
                    raise OSError(errno.EWOULDBLOCK, "another run holds the folder")
                content = _read(self.path).with_lines(self._added)
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
        self._known = Checksums(content)
        self._added.clear()

    def _name(self, file: Path) -> str:
        return in_text(os.path.relpath(file, self.path.parent))


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


def _mode(path: Path) -> int | None:
    """The rights of the manifest that is there. OSError for one that is not to be replaced."""
    try:
        with files.open_ours(os.fspath(path), names=_MANY) as held:
            return os.fstat(held.number).st_mode & 0o777
    except FileNotFoundError:
        return None


def _is_like(content: bytes, fd: int) -> bool:
    """Whether the file is the beginning of a list that is like this one: a killed run's."""
    head = os.pread(fd, _PROOF_SIZE, 0).rstrip(b"\0")
    lines = head.split(b"\n")[:-1]
    return content.startswith(head) or all(map(is_line, lines))


def _error(path: Path, error: OSError) -> SinkError:
    return SinkError(
        f"cannot read or write {path}: {error.strerror or error}",
        errno=error.errno or 0,
        hint="check the file, or name another manifest",
    )
