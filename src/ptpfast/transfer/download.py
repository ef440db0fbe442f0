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
import logging
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .._engine import Timeline
from .._sink import FileSink, MemorySink
from ..errors import ProtocolError, ResponseError, SinkError, TransferError
from ..objects import ObjectInfo
from ..pipelining import Following, Request
from .hashing import digest_of, hex_of, new_hash
from .journal import NOTHING_KEPT, Identity, Journal, Kept
from .part import PartFile, sink_error
from .ranges import Camera
from .reading import ObjectReader, Progress
from .verify import VERIFY, check_camera, check_file, check_size, hash_file

log = logging.getLogger("ptpfast")

OVERLAP = 1 << 14  # bytes before the seam that are read again and compared
# How often what is there is made sure of, if not in the middle of a partial read: a power cut costs
# no more than this.
KEEP_S = 10.0
# How often the hash of what has arrived is noted besides, at the next progress: a killed process
# costs little more than this.
NOTE_SIZE = 4 << 20
# An object whose partial reads have taken so long is looked at once more: it may have grown, or be
# another one, without a read that went wrong. For a shorter one it would be a round trip too many,
# unless the camera has reported a change of it.
LOOK_AGAIN_S = 10.0


@dataclass
class Transfer:
    """What a download did. Sizes in bytes.

    resumed_at: bytes that were there from an earlier run; dropped: those that were there and did
    not count, as of an object that has changed since; received: payload moved in this one (with
    the overlap at the seam, and a second reading); verified: which of `verify.VERIFY` was done.
    begun_elsewhere: some of the bytes may not have been received by this process.
    digest: of what arrived, `sha256:` or `xxh3:` and hex digits; None with `size`.
    operation: what it was read with; chunks: bytes asked for at a time by partial reads, each size
    in its turn (empty: the whole object at once).
    """

    object: ObjectInfo
    path: Path
    size: int = 0
    seconds: float = 0.0
    resumed_at: int = 0
    dropped: int = 0
    received: int = 0
    verified: str = "size"
    begun_elsewhere: bool = False
    digest: str | None = None
    operation: str = ""
    chunks: list[int] = field(default_factory=list)
    recorded: Timeline = field(default_factory=Timeline, repr=False)

    @property
    def sha256(self) -> str | None:
        """The SHA-256 of what arrived in hex, if that was taken."""
        return hex_of(self.digest, "sha256")

    @property
    def xxh3(self) -> str | None:
        """The XXH3 (128 bits) of what arrived in hex, if that was taken."""
        return hex_of(self.digest, "xxh3")

    @property
    def timeline(self) -> tuple[Any, Any]:
        """When the bytes came: numpy arrays of seconds since the start and of bytes so far."""
        return self.recorded.samples()


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
        algorithm: str | None = None,
        progress: Progress | None = None,
        chunk: int | None = None,
        overwrite: bool = False,
        then: Sequence[ObjectInfo] = (),
    ) -> None:
        if verify not in VERIFY:
            raise ValueError(f"verify is one of {', '.join(VERIFY)}, not {verify!r}")
        if algorithm is not None and verify == "size":
            verify = "hash"
        self.transfer = Transfer(info, path, verified=verify)
        self._camera = camera
        self._info = info
        self._path = os.fspath(path)
        self._journal = Journal(self._path, Identity.of(identity, info))
        self._part = PartFile(self._path, self._journal)
        self._resume = resume
        self._overwrite = overwrite
        self._algorithm = algorithm or "sha256"
        self._hasher = None if verify == "size" else new_hash(self._algorithm)
        # The hash at the end of the last whole read, and what the journal says.
        self._marked: tuple[int, Any] = (0, None)
        self._kept = NOTHING_KEPT
        self._noted = 0
        self._progress = progress
        self._reader = ObjectReader(
            camera,
            info,
            chunk=chunk,
            progress=self._progressed,
            timeline=self.transfer.recorded,
        )
        self._chunk = chunk
        self._then = then
        self._went_on = False  # the camera is at work on the next one already
        self._began = 0.0

    def run(self) -> Transfer:
        """Does it. The transfer is complete and under its final name when this returns."""
        began = time.monotonic()
        if not self._overwrite and os.path.lexists(self._path):
            raise FileExistsError(errno.EEXIST, "there is a file of that name", self._path)
        with self._part:
            there, offset = self._part.length, self._resumable()
            self.transfer.dropped = there - offset
            if not offset and (there or self._journal.exists()):
                self._start_anew()
            self._receive(offset)
            self._look_again()
            self._verify()
            self._part.publish(overwrite=self._overwrite)
        self.transfer.seconds = time.monotonic() - began
        self.transfer.operation = self._reader.operation
        self.transfer.chunks = self._reader.chunks
        return self.transfer

    def _resumable(self) -> int:
        """Bytes of the part file that are certainly this object's; 0 to start anew."""
        length, size = self._part.length, self._reader.size
        if (
            not length
            or not self._resume
            or size is None
            or (known := self._journal.read()) is None
        ):
            return 0
        length = known.counted(length, None if self._hasher is None else self._algorithm)
        if length and self._hasher is not None:
            length = self._proven(known.arrived)
        if not 0 < length <= size or self._reader.partial() is None:
            return 0
        if not self._seam_is_equal(length):
            return 0
        self.transfer.begun_elsewhere = not self._journal.goes_on_from(known.arrived)
        if known.kept.size <= length:
            self._kept = known.kept
        return length

    def _proven(self, kept: Kept) -> int:
        """To verify by hash, only bytes count whose hash is known from when they arrived."""
        found = new_hash(self._algorithm)
        hash_file(self._part, kept.size, found)
        if digest_of(found) != kept.digest:
            return 0
        self._hasher = found
        return kept.size

    def _seam_is_equal(self, length: int) -> bool:
        start = max(0, length - OVERLAP)
        # A camera that will not this once has not another object: all there is hangs on it.
        if (seam := self._seam(start, length) or self._seam(start, length)) is None:
            return False
        try:
            kept = os.pread(self._part.fd, length - start, start)
        except OSError:
            return False
        equal = kept == seam
        if not equal:
            log.warning("%s differs from the camera's object; starting anew", self._part.path)
        return equal

    def _seam(self, start: int, end: int) -> bytes | None:
        """The camera's bytes there; None when it will not send them."""
        sink = MemorySink()
        reader = ObjectReader(self._camera, self._info)
        try:
            self.transfer.received += reader.read(sink, start, end - start)
        except (ResponseError, TransferError) as error:
            log.debug("the seam of %s cannot be read: %s", self._part.path, error)
            return None
        return bytes(sink.finish() or b"")

    def _receive(self, offset: int) -> None:
        if not offset and self._hasher is not None:
            self._hasher = new_hash(self._algorithm)  # whatever was proven does not count
        sink = self._sink = FileSink(
            self._part.path,
            descriptor=self._part.fd,
            offset=offset,
            size=self._reader.size,
            hasher=self._hasher,
            before=self._keep if offset else self._note,
        )
        self.transfer.resumed_at = self._noted = offset
        self._mark()
        self._began = self._kept_at = time.monotonic()
        try:
            # Read again, it is this object that comes next.
            following = None if self.transfer.verified == "reread" else self._following()
            self._reader.read(sink, offset, following=following)
        except ProtocolError:
            # Out of step somewhere in the last read: only the reads before it are worth keeping.
            sink.abandon()
            self._take_back(self._reader.trusted)
            raise
        except BaseException as error:
            sink.abandon()
            # What a camera sends before it says that this went wrong may be anything, too. Of a
            # whole object it may be all there is.
            in_parts = self._reader.chunks and sink.position > self._reader.trusted
            if isinstance(error, ResponseError) and in_parts:
                self._take_back(self._reader.trusted)
            else:
                self._keep_if_possible()
            raise
        finally:
            self.transfer.received += sink.position - offset
        self.transfer.size = sink.position
        self._part.date(capture_time(self._info))
        try:
            sink.finish()
        except SinkError:
            self._take_back(self._kept.size)
            raise

    def _following(self) -> Following | None:
        return self._requests_of_the_next if self._then else None

    def _took_long(self) -> bool:
        in_parts = self._reader.in_parts or self._reader.chunks
        return bool(in_parts) and time.monotonic() - self._began >= LOOK_AGAIN_S

    def _look_again(self) -> None:
        """TransferError for an object that is not what it was when it was begun."""
        is_due = self._took_long() and not self._went_on
        if not (self._camera.hub.take_altered(self._info.handle) or is_due):
            return
        self._keep()  # nothing of it is read again if the connection should be lost now
        try:
            self._camera.compare(self._info, again=True)
        except TransferError:
            # Some of it may be of what it was, and some of what it is.
            self._journal.forget(sync=True)
            raise
        except ResponseError as error:
            log.debug("%s is not described once more: %s", self._info.name, error)

    def _requests_of_the_next(self) -> Iterator[Request]:
        altered = self._camera.hub.is_altered(self._info.handle)
        if not self._went_on and (altered or self._took_long()):
            return  # this one is looked at first, and the answers would have to be dropped
        for info in self._then:
            requests = ObjectReader(self._camera, info, chunk=self._chunk).requests()
            if (first := next(requests, None)) is None:
                return  # fetched in another way; what is behind it has to wait
            self._went_on = True
            yield first
            yield from requests

    def _note(self, *, sync: bool = False) -> None:
        """The journal, before the first byte it speaks of."""
        try:
            self._journal.write(sync=sync)
        except OSError as error:
            raise sink_error("write beside", self._part.path, error) from error

    def _start_anew(self) -> None:
        """Before what is there is written over the disk must have forgotten what was said of it,
        also where only that is left: after a power cut some pages can be old ones, or none, and the
        seam be new. And what is there goes first: the new note, by which the length counts, must
        not be found beside it."""
        self._part.cut(0)
        self._note(sync=True)

    def _progressed(self, received: int, size: int | None) -> None:
        if self._progress is not None:
            self._progress(received, size)
        whole = received == self._reader.trusted
        if whole:
            self._mark()
        if (whole or not self._reader.in_parts) and time.monotonic() - self._kept_at >= KEEP_S:
            self._keep()
        elif self._hasher is not None and self._sink.position - self._noted >= NOTE_SIZE:
            self._note_arrived(self._sink.position, self._hasher)

    def _mark(self) -> None:
        """What was hashed cannot be taken back; but a copy of the hash before it can be kept."""
        if self._hasher is not None:
            self._marked = self._sink.position, self._hasher.copy()

    def _take_back(self, trusted: int) -> None:
        """Drops what a broken read has left; from the journal first, which must not speak of what
        is gone. With the hash of the rest, the next run can go on there."""
        size, hasher = self._marked
        taken_back = self._kept.size > trusted
        if taken_back:
            self._kept = NOTHING_KEPT
        self._note_arrived(trusted, hasher if size == trusted else None, sync=taken_back)
        self._part.cut(trusted)

    def _note_arrived(self, size: int, hasher: Any, *, sync: bool = False) -> None:
        """In the journal and without the disk: after a power cut what is kept still counts."""
        arrived = None if hasher is None else Kept(size, digest_of(hasher))
        try:
            self._journal.write(self._kept, arrived, sync=sync)
            self._noted = size
        except OSError as error:
            log.debug("nothing noted in the journal: %s", error)

    def _keep(self) -> None:
        """What is there reaches the disk, and then the journal says so."""
        size = self._sink.position
        if size:
            self._part.sync()
            digest = None if self._hasher is None else digest_of(self._hasher)
            self._kept = Kept(size, digest)
            try:
                self._journal.write(self._kept, sync=True)
                self._noted = size
            except OSError as error:
                log.debug("nothing noted in the journal: %s", error)
        self._kept_at = time.monotonic()

    def _keep_if_possible(self) -> None:
        try:
            if not self._part.lost:
                self._keep()
        except SinkError as error:
            log.debug("%s", error)
        if self._part.lost:
            self._take_back(self._kept.size)

    def _verify(self) -> None:
        transfer, name = self.transfer, self._info.name
        check_size(self._part, transfer.size, self._reader.size, name)
        if self._hasher is None:
            return
        transfer.digest = arrived = digest_of(self._hasher)
        try:
            check_file(
                self._part, transfer.size, arrived, name, from_disk=transfer.verified != "hash"
            )
            if transfer.verified == "reread":
                again = ObjectReader(self._camera, self._info, progress=self._progress)
                transfer.received += check_camera(again, arrived, name, self._following())
        except TransferError:
            self._journal.forget(sync=True)  # nothing in it can be believed
            raise


def capture_time(info: ObjectInfo) -> float | None:
    """When the picture was taken, as an mtime; a time without zone is this computer's local
    time."""
    moment = info.captured or info.modified
    if moment is None:
        return None
    try:
        return moment.timestamp()
    except (OverflowError, ValueError, OSError):
        return None  # a clock never set can be before this system's time begins
