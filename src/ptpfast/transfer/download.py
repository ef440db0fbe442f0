"""The download of one object: part file, resume, verification, then the final name.

    NAME.part.json  The journal: whose bytes these are.
    NAME.part       The received bytes (`checkpoint`: how much of it is certain).
    NAME            The complete file, in one step.

An unfinished file never has its final name, and an existing file is replaced only on request. A
part file is resumed if the journal names the same object and the bytes still have their recorded
checksum (`proof`). The last bytes must also equal the camera's.
"""

from __future__ import annotations

import errno
import logging
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Any

from ..engine.channel import Timeline
from ..engine.text import printable
from ..link.camera import Camera
from ..link.pipelining import Request
from ..ptp.errors import NetworkError, ProtocolError, ResponseError, SinkError, TransferError
from ..ptp.objects import ObjectInfo
from .checkpoint import Checkpoint
from .ends import may_end_elsewhere
from .hashing import hex_of
from .journal import Identity, Journal
from .options import DownloadOptions
from .part import PartFile, capture_time, reserves
from .proof import forget, may_continue, prove
from .reading import ObjectReader, Progress
from .seam import is_seamless
from .told import tell_received, tell_stored
from .verify import check_camera, check_received, check_size

log: logging.Logger = logging.getLogger("ptpfast")

# An object whose partial reads have taken so long is looked at once more: it may have grown, or be
# another one, without a read that went wrong. For a shorter one it would be a round trip too many,
# unless the camera has reported a change of it.
LOOK_AGAIN_S = 10.0
MOST_ANNOUNCED = 256  # requests of small objects that are kept


@dataclass(repr=False)
class Transfer:
    """The result of a download.

    Attributes:
        object: the `ObjectInfo`.
        path: the file.
        size: bytes of the file.
        seconds: from the first request to the last byte.
        disk_seconds: from the last byte to the final name: flush, verification and renaming.
        resumed_at: bytes that came from an earlier run.
        dropped: bytes of an earlier run that could not be used.
        received: bytes received in this run, including those read twice.
        verified: the level of verification (`size`, `hash`, `disk` or `reread`).
        begun_elsewhere: whether another process may have received some of the bytes.
        digest: hash of the file as read back, `sha256:…` or `xxh3:…`; None with `size`.
        operation: the operation that read the object.
        chunks: sizes of the partial reads, each time the size changed; empty for a whole object.
    """

    object: ObjectInfo
    path: Path
    size: int = 0
    seconds: float = 0.0
    disk_seconds: float = 0.0
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
        """SHA-256 of the file in hex; None if it was not computed."""
        return hex_of(self.digest, "sha256")

    @property
    def xxh3(self) -> str | None:
        """XXH3 (128 bits) of the file in hex; None if it was not computed."""
        return hex_of(self.digest, "xxh3")

    def __repr__(self) -> str:
        rate = f", {self.received / self.seconds / 1e6:.1f} MB/s" if self.seconds > 0 else ""
        name = printable(self.path.name)
        return f"<Transfer of {name}: {self.size:,} bytes{rate}, verified by {self.verified}>"

    @property
    def timeline(self) -> tuple[Any, Any]:
        """Arrival times: numpy arrays of seconds since the start and of bytes so far."""
        return self.recorded.samples()


class Download:
    """One download in two halves: `receive` needs the camera, `finish` needs only the disk.

    They may run on different threads, one after the other.
    """

    def __init__(
        self,
        camera: Camera,
        info: ObjectInfo,
        path: Path,
        options: DownloadOptions,
        *,
        progress: Progress | None = None,
        then: Sequence[ObjectInfo] = (),
    ) -> None:
        """then: what is downloaded next, in this order and in the same way: the camera begins with
        it while this file goes to the disk, with as many requests as `habits.depth` allows."""
        self.transfer: Transfer = Transfer(info, path, verified=options.level)
        self._camera = camera
        self._info = info
        self._options = options
        self._path = os.fspath(path)
        self._identity = Identity.of(camera.link.device_info.body, info)
        self._journal = Journal(self._path, self._identity)
        self._part = PartFile(self._path, self._journal)
        self._checkpoint = Checkpoint(self._part, self._journal)
        self._progress = progress
        self._reader = ObjectReader(
            camera,
            info,
            chunk=options.chunk,
            progress=self._progressed,
            timeline=self.transfer.recorded,
        )
        self._doubts_end = options.prove_end or may_end_elsewhere(info)
        self._then = then
        self._went_on = False  # the camera is at work on the next one already
        self._began = 0.0

    def run(self) -> Transfer:
        """Download the object. The file has its final name when this returns."""
        try:
            self.receive()
            transfer = self.finish()
        finally:
            self._close()  # a signal handler may have raised between the two
        self._camera.link.dialect.stored(self._info.handle)
        return transfer

    def receive(self) -> None:
        """Receive the object into the part file, which stays open and locked if this succeeds."""
        # Its handle may have gone to another picture.
        self._camera.compare(self._info, self._then)
        began = time.monotonic()
        self._check_name()
        try:
            self._part.open()
            self._check_name()  # another run may have finished a file of that name in between
            with self._camera.link.dialect.reading(self._info):
                self._receive(self._begin())
                self._confirm()
        except BaseException:
            self._close()
            raise
        self.transfer.seconds = time.monotonic() - began
        self.transfer.operation, self.transfer.chunks = self._reader.operation, self._reader.chunks
        tell_received(self._camera, self._info, self.transfer.received, self.transfer.seconds)

    def _check_name(self) -> None:
        is_taken = not self._options.overwrite and os.path.lexists(self._path)
        if is_taken and not reserves(self._path, self._journal.source):
            raise FileExistsError(errno.EEXIST, "a file with that name exists", self._path)

    @property
    def is_cheap(self) -> bool:
        """Whether `finish` only flushes and renames, and does not read the file back."""
        return self._options.hash is None

    def note(self) -> None:
        """Have the journal say that all bytes are here, for the case that the process is killed."""
        self._checkpoint.note()

    def finish(self) -> Transfer:
        """Flush and verify the received file, and give it its final name."""
        began = time.monotonic()
        try:
            self._flush()
            self._publish()
        finally:
            self._close()
        done = self.transfer
        done.disk_seconds = time.monotonic() - began
        tell_stored(self._camera, self._info, done.path, done.size, done.disk_seconds)
        return done

    def abandon(self) -> None:
        """Close the part file. A later download resumes it. Safe to call at any time."""
        self._close()

    def _close(self) -> None:
        try:
            self._checkpoint.wait()
        finally:
            self._part.close()

    def _confirm(self) -> None:
        """Ask the camera whether the received bytes are all of the object, and the right ones."""
        try:
            self._look_again()
            if self._doubts_end:
                self._reader.confirm_end()
            check_size(self._part, self.transfer.size, self._reader.size, self._info.name)
            if self.transfer.verified == "reread":
                self._read_again()
        except TransferError:
            raise  # the bytes may be wrong
        except BaseException:
            self._checkpoint.keep_if_possible()
            raise

    def _flush(self) -> None:
        self._part.date(capture_time(self._info))
        try:
            self._checkpoint.settle()
            self._part.sync()
        except SinkError:
            self._checkpoint.take_back_lost()
            raise

    def _publish(self) -> None:
        try:
            self._verify()
            self._part.publish(overwrite=self._options.overwrite)
        except TransferError:
            raise  # the file may be wrong
        except BaseException:
            if not self._part.is_finished:
                self._checkpoint.keep_if_possible()
            raise

    def _begin(self) -> int:
        """Where it goes on, or 0; what is behind is as good as gone then."""
        if self._doubts_end:
            self._reader.find_end()
        there = self._part.length
        offset = self._resumable(there)
        self.transfer.dropped = there - offset
        if offset:
            return offset
        if there:
            # It may be all there is of an object that is gone: then this raises ResponseError.
            self._camera.compare(self._info, again=True)
        if there and self._options.resume:
            text = "%s: restarted: the %.1f MB from an earlier run could not be verified"
            log.warning(text, self._path, there / 1e6)
        if not self._part.is_new:
            self._part.begin_anew()
        return 0

    def _resumable(self, there: int) -> int:
        """Return how many bytes of the part file are certainly this object's; 0 to start over."""
        size = self._reader.size
        if not there or not self._options.resume or size is None or self._reader.partial() is None:
            return 0
        proof = prove(self._path, self._part.fd, self._journal, size)
        forget(self._path)
        if proof is None or not may_continue(proof, self._identity):
            return 0
        equal, received = is_seamless(self._reader, self._part, proof.size, own=proof.own)
        self.transfer.received += received
        if not equal:
            return 0
        self._checkpoint.go_on_from(proof)
        self.transfer.begun_elsewhere = not proof.own
        return proof.size

    def _receive(self, offset: int) -> None:
        sink = self._checkpoint.open(self._reader.size)
        self.transfer.resumed_at = offset
        self._began = time.monotonic()
        try:
            # Read again, it is this object that comes next.
            following = None if self.transfer.verified == "reread" else self._requests_of_the_next
            with self._camera.link.plan(following):
                self._reader.read(sink, offset)
        except ProtocolError:
            # Out of step somewhere in the last read: only the reads before it are worth keeping.
            sink.abandon()
            self._checkpoint.take_back(self._reader.trusted)
            raise
        except BaseException as error:
            sink.abandon()
            # What a camera sends before it says that this went wrong may be anything, too. Of a
            # whole object it may be all there is.
            in_parts = self._reader.chunks and sink.position > self._reader.trusted
            if isinstance(error, ResponseError) and in_parts:
                self._checkpoint.take_back(self._reader.trusted)
            else:
                self._checkpoint.keep_if_possible()
            if isinstance(error, NetworkError) and self._progress is not None:
                self._progress(sink.position, self._reader.size)  # the last that is told
            raise
        finally:
            self.transfer.received += sink.position - offset
        self.transfer.size = sink.position
        try:
            sink.finish(sync=False)
        except SinkError:
            self._checkpoint.take_back_lost()
            raise

    def _took_long(self) -> bool:
        in_parts = self._reader.in_parts or self._reader.chunks
        return bool(in_parts) and time.monotonic() - self._began >= LOOK_AGAIN_S

    def _look_again(self) -> None:
        """TransferError for an object that is not what it was when it was begun."""
        is_due = self._took_long() and not self._went_on
        handle, link = self._info.handle, self._camera.link
        if not (link.hub.take_altered(handle) or link.dialect.may_have_changed(handle) or is_due):
            return
        self._checkpoint.keep()  # nothing of it is read again if the connection should be lost now
        try:
            self._camera.compare(self._info, again=True)
        except TransferError:
            # Some of it may be of what it was, and some of what it is.
            self._checkpoint.doubt()
            raise
        except ResponseError as error:
            log.debug("%s is not described once more: %s", self._info.name, error)

    def _requests_of_the_next(self) -> Iterator[Request]:
        if not self._then or self._camera.gives_way():
            return
        altered = self._camera.link.hub.is_altered(self._info.handle)
        if not self._went_on and (altered or self._took_long()):
            return  # this one is looked at first, and the answers would have to be dropped
        if self._options.prove_end or self._camera.link.dialect.asks_between_reads:
            return  # each begins with its end, or with the dialect's own questions
        camera, habits, known = self._camera, self._camera.habits, self._camera.announced
        manner = (self._options.chunk, habits.chunks.size, len(habits.refused))
        # One that is still to be compared would make the camera begin in vain.
        for info in takewhile(camera.is_compared, self._then[: habits.depth]):
            if (only := known.get((info.handle, info.size, manner))) is not None:
                self._went_on = True
                yield only
                continue
            if may_end_elsewhere(info):
                return
            requests = ObjectReader(camera, info, chunk=self._options.chunk).requests()
            if (first := next(requests, None)) is None:
                return  # fetched in another way; what is behind it has to wait
            self._went_on = True
            if first.limit == info.size:
                if len(known) >= MOST_ANNOUNCED:
                    known.clear()
                known[info.handle, info.size, manner] = first
            yield first
            yield from requests

    def _progressed(self, received: int, size: int | None) -> None:
        whole = received == self._reader.trusted
        if whole:
            self._checkpoint.mark()
        if self._progress is not None:
            self._progress(received, size)
        self._checkpoint.update(can_keep=whole or not self._reader.in_parts)

    def _read_again(self) -> None:
        again = self._reader.another(progress=self._progress)
        try:
            with self._camera.link.plan(self._requests_of_the_next):
                received, name = self._checkpoint.checksum, self._info.name
                self.transfer.received += check_camera(again, received, name)
        except TransferError:
            self._checkpoint.doubt()  # none of the bytes can be trusted
            raise

    def _verify(self) -> None:
        transfer, algorithm = self.transfer, self._options.hash
        if algorithm is None:
            return
        try:
            transfer.digest = check_received(
                self._part,
                self._checkpoint.checksum,
                algorithm,
                self._info.name,
                from_disk=transfer.verified != "hash",
            )
        except TransferError:
            self._checkpoint.doubt()  # none of the bytes can be trusted
            raise
