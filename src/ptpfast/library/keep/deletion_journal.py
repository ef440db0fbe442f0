"""Log of deletions on the camera: JSON lines beside the pictures, never removed.

The note beside a part file is removed when the file gets its name; this log must outlive the
object. `proven` is on the disk before the camera is asked to delete; `deleted`, `left` or `gone`
follow. A `proven` without one of these is an interrupted deletion: the next run checks the object.

The log is untrusted input: no line in it causes a deletion, and invalid lines are skipped.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import re
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ...ownership import files
from ...ownership.names import DELETIONS_NAME as JOURNAL_NAME
from ...ownership.readback import open_regular
from ...ptp.errors import SinkError, disk_error
from ...transfer.journal import Identity
from ...transfer.syncing import sync_file, sync_folder

log: logging.Logger = logging.getLogger("ptpfast")

SCHEMA = 2
# What is read of its end: some ten thousand deletions. Each run looks after what is pending, so
# that is near the end, and anybody may have written all that is before it.
TAIL_SIZE = 4 << 20
MOST_PENDING = 1000
# What can be an entry by its length: a parser costs time for each line, and memory for a long one.
_ENTRY = re.compile(rb"^\{[^\n]{99,32768}\}$", re.MULTILINE)

What = Literal["proven", "deleted", "left", "gone"]
_ENDS = ("deleted", "left", "gone")
_WHATS = ("proven", *_ENDS)
_HEAD = 1 << 16  # bytes that tell whose a file is: more than the longest line
_BEGINNING = b'{"schema": '
_NUMBER = re.compile(rb'\{"schema": ([0-9]{1,4})')
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Proven(NamedTuple):
    """A `proven` entry: its storage, if recorded, and its file."""

    storage_id: int | None = None
    file: str = ""


class DeletionJournal:
    """The journal of the destination `folder`; there is no file before the first note."""

    def __init__(self, folder: Path) -> None:
        self.path: Path = folder / JOURNAL_NAME

    def note(self, what: What, identity: Identity, **more: Any) -> None:
        """Append a line; it has reached the disk when this returns. SinkError."""
        entry = {
            "schema": SCHEMA,
            "what": what,
            "when": datetime.now(UTC).isoformat(timespec="seconds"),
            "object": identity._asdict(),
            **more,
        }
        try:
            self._append(json.dumps(entry).encode() + b"\n")
        except OSError as error:
            raise self._error(error) from error

    def check(self) -> None:
        """SinkError when something else has the journal's name, so that nothing can be noted."""
        if not os.path.lexists(self.path):
            return
        try:
            held, _ = files.open_to_append(os.fspath(self.path), _holds_notes)
        except OSError as error:
            raise self._error(error) from error
        held.close()

    def _error(self, error: OSError) -> SinkError:
        return disk_error(
            "write",
            self.path,
            error,
            hint="ptpfast deletes nothing that it cannot log; check the folder, and "
            "move that file away if it is not ptpfast's",
        )

    def _append(self, line: bytes) -> None:
        held, is_new = files.open_to_append(os.fspath(self.path), _holds_notes)
        with held:
            fd = held.number
            status = os.fstat(fd)
            # A line that a power cut has torn ends here, and is one of the odd ones.
            if status.st_size and os.pread(fd, 1, status.st_size - 1) != b"\n":
                line = b"\n" + line
            if os.write(fd, line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            sync_file(fd)
        if is_new:
            sync_folder(os.fspath(self.path.parent), strict=True)

    def pending(self, camera: str) -> dict[Identity, Proven]:
        """Return the latest objects of a camera that were proven and not deleted."""
        try:
            with open_regular(self.path) as held:
                size = os.fstat(held.number).st_size
                content = os.pread(held.number, TAIL_SIZE, max(0, size - TAIL_SIZE))
        except OSError as error:
            if not isinstance(error, FileNotFoundError):
                log.warning("%s cannot be read: %s", self.path, error)
            return {}
        begun: dict[Identity, Proven] = {}
        for line in _ENTRY.finditer(content):
            if (entry := _parsed(line[0])) is None:
                continue
            what, identity, proven = entry
            begun.pop(identity, None)
            if what == "proven" and identity.camera == camera:
                begun[identity] = proven
        return dict(list(begun.items())[-MOST_PENDING:])

    def pending_here(self, camera: str) -> list[tuple[Identity, int | None]]:
        """Those of them whose file is here, and the storage of each. Anybody can have written the
        journal: an object that was to be deleted has its file here, and each file is one's."""
        by_file = {
            proven.file: (identity, proven.storage_id)
            for identity, proven in self.pending(camera).items()
            if _is_here(self.path.parent, proven.file, identity.size)
        }
        return list(by_file.values())


def _is_here(folder: Path, name: str, size: int | None) -> bool:
    """Whether a regular file of that name and size is in the folder, or below it."""
    if "\0" in name or not {"", ".", ".."}.isdisjoint(name.split("/")):
        return False
    try:
        status = os.lstat(folder / name)
    except (OSError, ValueError):  # ValueError: no name of this system's
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size == size


def _holds_notes(fd: int) -> bool:
    """Whether the file begins as one of these journals does, also if a power cut has torn its first
    line: that may be zeros then, and the next one follows an end of line."""
    head = os.pread(fd, _HEAD, 0)
    begin = head.lstrip(b"\0")
    if begin != head:
        if len(head) == _HEAD and not begin:  # more zeros than any line
            return False
        begin = begin.removeprefix(b"\n")
    line, end, _ = begin.partition(b"\n")
    return _is_beginning(line.rstrip(b"\0")) and (bool(line) or not end)


def _is_beginning(line: bytes) -> bool:
    """Whether a line is an entry, or what is left of one."""
    number = _NUMBER.match(line)
    if number is None:
        return _BEGINNING.startswith(line)
    begins = (b'%s, "what": "%s", "when": "' % (number[0], what.encode()) for what in _WHATS)
    return any(line.startswith(begin) or begin.startswith(line) for begin in begins)


def _parsed(line: bytes) -> tuple[str, Identity, Proven] | None:
    """Return the content of a line and its object; None for an odd line."""
    try:
        entry = json.loads(line)
        what, told = entry["what"], entry["object"]
        identity = Identity(**told)
        hash(identity)
        storage_id, file = entry.get("storage"), entry.get("file", "")
        known = what in _ENDS or (what == "proven" and _SHA256.fullmatch(entry["sha256"]))
        if (
            entry["schema"] != SCHEMA
            or not known
            or type(identity.handle) is not int
            or not 0 < identity.handle < 1 << 32
            or not (storage_id is None or type(storage_id) is int)
            or not (told["size"] is None or type(told["size"]) is int)
            or not isinstance(file, str)
            or not all(isinstance(told[name], str) for name in ("camera", "name", "captured"))
        ):
            return None
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return what, identity, Proven(storage_id, file)
