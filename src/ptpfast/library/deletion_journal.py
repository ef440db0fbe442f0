"""What was proven to be safe here and then deleted on the camera: a line of JSON each, for ever.

It is a file of its own beside the pictures, because the note beside a part file goes when the part
file gets its name, and this has to outlive the object. `proven` is on the disk before the camera is
asked to delete; `deleted`, `left` or `gone` follow. A `proven` without one of these is a deletion
somebody interrupted: the next run looks what became of it.

Read back as untrusted input: no line of it makes anything be deleted, and odd ones are passed over.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from ..errors import SinkError
from ..ownership import files
from ..ownership.names import DELETIONS_NAME as JOURNAL_NAME
from ..readback import read_back
from ..transfer.journal import Identity
from ..transfer.syncing import sync_file, sync_folder

log = logging.getLogger("ptpfast")

SCHEMA = 2
MAX_SIZE = 256 << 20  # half a million deletions
# What can be an entry by its length: a parser costs time for each line, and memory for a long one.
_ENTRY = re.compile(rb"^\{[^\n]{99,32768}\}$", re.MULTILINE)

What = Literal["proven", "deleted", "left", "gone"]
_ENDS = ("deleted", "left", "gone")
_BEGINNING = b'{"schema": '
_SHA256 = re.compile(r"[0-9a-f]{64}")


class DeletionJournal:
    """The journal of the destination `folder`; there is no file before the first note."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / JOURNAL_NAME

    def note(self, what: What, identity: Identity, **more: Any) -> None:
        """A line, which is on the disk when this returns. SinkError."""
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
            raise SinkError(
                f"cannot write {self.path}: {error.strerror or error}",
                errno=error.errno or 0,
                hint="nothing is deleted on the camera that cannot be noted; check the folder",
            ) from error

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

    def pending(self, camera: str) -> dict[Identity, int | None]:
        """The objects of a camera that were proven and of which nothing more is noted; with the
        storage each was in, if that is noted."""
        try:
            content = read_back(self.path, MAX_SIZE)
        except OSError as error:
            if not isinstance(error, FileNotFoundError):
                log.warning("%s cannot be read: %s", self.path, error)
            return {}
        begun: dict[Identity, int | None] = {}
        for line in _ENTRY.finditer(content):
            if (entry := _parsed(line[0])) is None:
                continue
            what, identity, storage_id = entry
            if what == "proven":
                begun[identity] = storage_id
            else:
                begun.pop(identity, None)
        return {
            identity: storage_id
            for identity, storage_id in begun.items()
            if identity.camera == camera
        }


def _holds_notes(fd: int) -> bool:
    """Whether the file begins as one of these journals does, also if its first line was torn."""
    line = os.pread(fd, 1 << 16, 0).strip(b"\0").partition(b"\n")[0]
    return line.startswith(_BEGINNING) or _BEGINNING.startswith(line)


def _parsed(line: bytes) -> tuple[str, Identity, int | None] | None:
    """What a line says, of which object in which storage; None for an odd one."""
    try:
        entry = json.loads(line)
        what, told = entry["what"], entry["object"]
        identity = Identity(**told)
        hash(identity)
        storage_id = entry.get("storage")
        known = what in _ENDS or (what == "proven" and _SHA256.fullmatch(entry["sha256"]))
        if (
            entry["schema"] != SCHEMA
            or not known
            or type(identity.handle) is not int
            or not 0 < identity.handle < 1 << 32
            or not (storage_id is None or type(storage_id) is int)
            or not all(isinstance(told[name], str) for name in ("camera", "name", "captured"))
        ):
            return None
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return what, identity, storage_id
