"""One object to one file: part file, resume, verification, and only then the final name.

    NAME.part.json  whose bytes these are        (journal)
    NAME.part       what is safely here          (length = bytes)
    NAME            appears whole, in one step

An unfinished file never stands under its final name, and an existing file is not replaced unless
asked. What an interrupted run left is continued when the journal proves it is of the same object
and the bytes at the seam, read again, are equal.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .._engine import Timeline
from .._sink import FileSink, MemorySink
from ..errors import ProtocolError, ResponseError, TransferError
from ..objects import ObjectInfo
from . import journal
from .lock import locked, sink_error
from .ranges import Camera
from .reading import ObjectReader, Progress

log = logging.getLogger("ptpfast")

OVERLAP = 1 << 16  # bytes before the seam that are read again and compared
READ_BACK = 1 << 20
VERIFY = ("size", "hash")


@dataclass
class Transfer:
    """What a download did. Sizes in bytes.

    resumed_at: bytes that were there from an earlier run; received: payload moved in this one (with
    the overlap at the seam); verified: `size` (announced, counted and stored sizes agree) or `hash`
    (also: SHA-256 of what arrived equals that of the file read back). sha256 is hex, with `hash`
    only.
    timeline: (seconds, bytes) arrays of when the bytes came.
    """

    object: ObjectInfo
    path: Path
    size: int = 0
    seconds: float = 0.0
    resumed_at: int = 0
    received: int = 0
    verified: str = "size"
    sha256: str | None = None
    operation: str = ""
    chunk: int = 0
    timeline: Any = field(default=None, repr=False)


class Download:
    """The steps of one download, in `run`'s order."""

    def __init__(
        self,
        camera: Camera,
        identity: str,
        info: ObjectInfo,
        path: Path,
        *,
        resume: bool = True,
        verify: str = "size",
        progress: Progress | None = None,
        chunk: int | None = None,
        overwrite: bool = False,
    ) -> None:
        if verify not in VERIFY:
            raise ValueError(f"verify is one of {', '.join(VERIFY)}, not {verify!r}")
        timeline = Timeline()
        self.transfer = Transfer(info, path, verified=verify, timeline=timeline)
        self._camera = camera
        self._info = info
        self._path = path
        self._part = journal.part_path(path)
        self._identity = journal.Identity.of(identity, info)
        self._resume = resume
        self._overwrite = overwrite
        self._hasher = hashlib.sha256() if verify == "hash" else None
        self._reader = ObjectReader(camera, info, chunk=chunk, progress=progress, timeline=timeline)

    def run(self) -> Transfer:
        """Does it. The transfer is complete and under its final name when this returns."""
        began = time.monotonic()
        if not self._overwrite and os.path.lexists(self._path):
            raise FileExistsError(errno.EEXIST, "there is a file of that name", str(self._path))
        with locked(self._part) as lock:
            offset = self._resumable()
            try:
                if not offset:  # before the journal says that these bytes are this object's
                    os.ftruncate(lock, 0)
                journal.write(self._path, self._identity)
            except OSError as error:
                raise sink_error("write in", self._path.parent, error) from error
            self._receive(offset)
            self._verify()
            self._publish()
        self.transfer.seconds = time.monotonic() - began
        self.transfer.operation = self._reader.operation
        self.transfer.chunk = self._camera.chunks.chunk
        self.transfer.timeline = self.transfer.timeline.samples()
        return self.transfer

    def _resumable(self) -> int:
        """Bytes of the part file that are certainly this object's; 0 to start anew."""
        identity, proof = journal.read(self._path)
        size = self._reader.size
        if not self._resume or identity != self._identity or size is None:
            return 0
        length = self._part.stat().st_size
        if self._hasher is not None:
            length = self._proven(proof)
        if not length or length > size or self._reader.partial() is None:
            return 0
        return length if self._seam_is_equal(length) else 0

    def _proven(self, proof: journal.Proof | None) -> int:
        """To verify by hash, only bytes count whose hash is known from when they arrived."""
        found = hashlib.sha256()
        if proof is None or not isinstance(proof.size, int):
            return 0
        self._hash_file(found, proof.size)
        return proof.size if found.hexdigest() == proof.sha256 else 0

    def _seam_is_equal(self, length: int) -> bool:
        start = max(0, length - OVERLAP)
        sink = MemorySink()
        reader = ObjectReader(self._camera, self._info)
        try:
            self.transfer.received += reader.read(sink, start, length - start)
        except (ResponseError, TransferError) as error:
            log.debug("the seam of %s cannot be read: %s", self._part, error)
            return False
        try:
            with self._part.open("rb") as file:
                file.seek(start)
                equal = file.read(length - start) == bytes(sink.finish() or b"")
        except OSError:
            return False
        if not equal:
            log.warning("%s differs from the camera's object; starting anew", self._part)
        return equal

    def _receive(self, offset: int) -> None:
        if offset and self._hasher is not None:
            self._hash_file(self._hasher, offset)
        sink = FileSink(self._part, offset=offset, size=self._reader.size, hasher=self._hasher)
        self.transfer.resumed_at = offset
        try:
            self._reader.read(sink, offset)
        except ProtocolError:
            # Out of step somewhere in the last read: only the reads before it are worth keeping.
            sink.abandon()
            os.truncate(self._part, self._reader.trusted)
            raise
        except BaseException:
            sink.abandon()
            self._prove(sink.position)
            raise
        finally:
            self.transfer.received += sink.position - offset
        self.transfer.size = sink.position
        sink.finish()

    def _prove(self, size: int) -> None:
        """Notes the hash so far, so that the next run can go on with it."""
        if self._hasher is None or not size:
            return
        try:
            proof = journal.Proof(size, self._hasher.hexdigest())
            journal.write(self._path, self._identity, proof)
        except OSError as error:
            log.debug("no proof in the journal: %s", error)

    def _hash_file(self, hasher: Any, size: int) -> None:
        try:
            with self._part.open("rb") as file:
                while size > 0 and (block := file.read(min(READ_BACK, size))):
                    hasher.update(block)
                    size -= len(block)
        except OSError as error:
            raise sink_error("read back", self._part, error) from error

    def _verify(self) -> None:
        size, announced = self.transfer.size, self._reader.size
        try:
            stored = self._part.stat().st_size
        except OSError as error:
            raise sink_error("find", self._part, error) from error
        if stored != size or (announced is not None and size != announced):
            raise TransferError(
                f"{self._info.name}: {stored:,} bytes stored, {size:,} received, "
                f"{self._info.size} listed by the camera",
                received=stored,
            )
        if self._hasher is None:
            return
        read_back = hashlib.sha256()
        self._hash_file(read_back, size)
        self.transfer.sha256 = self._hasher.hexdigest()
        if read_back.hexdigest() != self.transfer.sha256:
            journal.forget(self._path)  # nothing in it can be believed
            raise TransferError(
                f"{self._info.name}: the file on disk is not what arrived",
                hint="check the disk, then run it again",
            )

    def _publish(self) -> None:
        """mtime, the final name in one step, then the folder to disk."""
        try:
            set_capture_time(self._part, self._info)
            if self._overwrite:
                os.replace(self._part, self._path)
            else:
                _rename_new(self._part, self._path)
            journal.forget(self._path)
            _sync_folder(self._path.parent)
        except FileExistsError:
            raise
        except OSError as error:
            raise sink_error("finish", self._path, error) from error


def set_capture_time(path: Path, info: ObjectInfo) -> None:
    """mtime := when the picture was taken; a time without zone is this computer's local time."""
    moment = info.captured or info.modified
    if moment is None:
        return
    try:
        seconds = moment.timestamp()
    except (OverflowError, ValueError, OSError):
        return  # a clock never set can be before this system's time begins
    os.utime(path, (seconds, seconds))


def _rename_new(part: Path, path: Path) -> None:
    """Renames without ever replacing a file: FileExistsError."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:  # FAT and some network filesystems have no links
        if os.path.lexists(path):
            raise FileExistsError(f"{path} exists") from None
        part.rename(path)
    else:
        part.unlink()


def _sync_folder(folder: Path) -> None:
    try:
        fd = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(fd)
    except OSError:
        pass  # not every filesystem can
    finally:
        os.close(fd)
