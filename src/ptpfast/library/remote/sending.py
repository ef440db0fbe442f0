"""One object on its way from the camera to a destination.

It has the methods of a `Download`, so that a run treats both alike: `receive` needs the camera, and
`finish` only the destination. After a lost connection to the camera `receive` is called again, and
the upload continues at the next byte.
"""

from __future__ import annotations

import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from ...engine.sink import CallbackSink, MemorySink
from ...ptp.errors import ProtocolError, SinkError, TransferError
from ...state.fetched import Stored
from ...transfer.download import LOOK_AGAIN_S, Transfer
from ...transfer.ends import may_end_elsewhere
from ...transfer.hashing import digest_of, new_hash
from ...transfer.reading import NoPartialRead, ObjectReader, Progress
from ...transfer.stream import whole_pieces
from .place import RemotePath, as_path
from .target import Target, taken
from .upload import Upload

if TYPE_CHECKING:
    from ...link.camera import Camera
    from ...ptp.objects import ObjectInfo
    from ...transfer import DownloadOptions
    from .folder import Strays

OVERLAP = 1 << 14  # bytes before the seam that are compared with the camera's
PIECE = 1 << 20  # bytes of an object that the camera sends as a whole


class Broken(TransferError):
    """The camera's bytes before the seam are others now: the object is sent from the beginning."""


class Sending:
    """An object on its way.

    Attributes:
        transfer: What came of it.
        stored: The file as the destination has it, once it has its name.
    """

    is_cheap = False  # it waits for another computer

    def __init__(
        self,
        camera: Camera,
        info: ObjectInfo,
        path: RemotePath,
        options: DownloadOptions,
        target: Target,
        progress: Progress,
        *,
        name_is_ours: bool = False,
        strays: Strays | None = None,
    ) -> None:
        """name_is_ours: a lost upload of this object may have taken the name already.
        strays: files there that may be this object's, without a record of it."""
        self.transfer: Transfer = Transfer(info, as_path(path), verified=options.level)
        self.stored: Stored | None = None
        self._camera = camera
        self._info = info
        self._path = path
        self._options = options
        self._target = target
        self._progress = progress
        self._bytes = _Bytes(options.algorithm or "sha256")
        self._upload: Upload | None = None
        self._strays = strays
        self._looks = not (options.overwrite or target.kind.moves or name_is_ours)
        self._at = target.temporary(path) if target.kind.moves else path

    @property
    def position(self) -> int:
        """Bytes that need not be received again."""
        return self._bytes.position

    # In the thread of the camera

    def receive(self) -> None:
        """Receive the object, or the rest of it, into the upload.

        Raises:
            Broken: it must be sent from the beginning.
            FileExistsError: its name is taken.
            SinkError: the destination failed.
            PTPError: the camera failed.
        """
        again = self._upload is not None
        self._camera.compare(self._info)  # its handle may have gone to another picture
        began = time.monotonic()
        options = self._options
        reader = ObjectReader(
            self._camera, self._info, chunk=options.chunk, progress=self._progressed
        )
        try:
            with self._camera.link.dialect.reading(self._info):
                doubts_end = options.prove_end or may_end_elsewhere(self._info)
                if doubts_end:
                    reader.find_end()
                upload = self._upload = self._upload or self._begin(reader.size)
                upload.check()
                self._read(reader, upload, again=again)
                self._confirm(reader, time.monotonic() - began, doubts_end=doubts_end)
        finally:
            self.transfer.seconds += time.monotonic() - began
            self.transfer.size = self._bytes.done
            self.transfer.operation = reader.operation
            self.transfer.chunks += reader.chunks
        self.transfer.received += self._bytes.done
        upload.complete()

    def _begin(self, size: int | None) -> Upload:
        target, options = self._target, self._options
        sums_parts = target.kind.is_s3 and options.level == "hash"
        return Upload(target, self._at, size, sums_parts=sums_parts, before=self._check_name)

    def _check_name(self) -> None:
        """Look, in the thread of the upload, whether the name is free where no move will tell."""
        if self._looks and self._target.look(self._path) is not None:
            raise taken(self._path)

    def _read(self, reader: ObjectReader, upload: Upload, *, again: bool) -> None:
        held = self._camera.link.dialect.held(self._info.handle)
        size = reader.size if held is None else len(held)
        in_parts = held is not None or (reader.partial() is not None and self._options.chunk != 0)
        if size is None or not in_parts:
            self._read_whole(reader, upload)
            return
        if again and held is None:
            self._compare_seam(reader)
        try:
            self._read_parts(reader, upload, size)
        except NoPartialRead:
            self._bytes.drop_piece()
            self._read_whole(reader, upload)

    def _read_parts(self, reader: ObjectReader, upload: Upload, size: int) -> None:
        """Read piece by piece; the next one is asked for before one is handed over."""
        came, link = self._bytes, self._camera.link
        while came.done < size:
            want = min(upload.part_size, size - came.done)
            sink, got = came.piece(want)
            behind = came.done + want
            next_want = min(upload.part_size, size - behind)
            following = partial(reader.requests, behind, next_want) if next_want else None
            try:
                with link.plan(following):
                    reader.read(sink, came.done + got, want - got)
            except ProtocolError:
                # Out of step somewhere in the last read.
                sink.rewind(max(reader.trusted - came.done, got))
                raise
            if sink.position != want:
                raise TransferError(
                    f"{reader.label()}: {sink.position:,} of {want:,} bytes came at {came.done:,}",
                    received=came.position,
                )
            upload.put(came.take())

    def _read_whole(self, reader: ObjectReader, upload: Upload) -> None:
        """Read the object in one piece. What was sent before a lost connection is compared."""
        came, seen, before = self._bytes, 0, self._bytes.done
        again, part = came.new_hash(), bytearray()
        for piece in whole_pieces(self._camera, reader, PIECE):
            with piece:
                old = max(0, min(len(piece), before - seen))
                again.update(piece[:old])
                seen += len(piece)
                if old and seen >= before and again.digest() != came.hash.digest():
                    raise Broken(f"{reader.label()}: the camera sends other bytes than before")
                part += piece[old:]
            while len(part) >= upload.part_size:
                upload.put(came.add(part[: upload.part_size]))
                del part[: upload.part_size]
            self._progressed(seen, reader.size)
        if seen < before:
            raise Broken(f"{reader.label()}: the camera sends fewer bytes than before")
        if part:
            upload.put(came.add(part))

    def _compare_seam(self, reader: ObjectReader) -> None:
        """Compare the last bytes from before a lost connection with the camera's."""
        kept = self._bytes.tail()
        if not kept:
            return
        sink = MemorySink()
        reader.another().read(sink, self.position - len(kept), len(kept))
        self.transfer.received += len(kept)
        if bytes(sink.finish() or b"") != kept:
            raise Broken(f"{reader.label()}: the camera sends other bytes than before")

    def _progressed(self, received: int, size: int | None) -> None:
        self._progress(max(received, self.position), size)

    def _confirm(self, reader: ObjectReader, took_s: float, *, doubts_end: bool) -> None:
        """Ask the camera whether the received bytes are all of the object, and the right ones."""
        handle, link = self._info.handle, self._camera.link
        is_due = bool(reader.chunks) and took_s >= LOOK_AGAIN_S
        if link.hub.take_altered(handle) or link.dialect.may_have_changed(handle) or is_due:
            self._camera.compare(self._info, again=True)
        if doubts_end:
            reader.confirm_end()
        reader.check_whole(self._bytes.done)
        if self.transfer.verified == "reread":
            again = self._bytes.new_hash()
            sink = CallbackSink(again.update)
            self.transfer.received += reader.another().read(sink)
            sink.finish()
            if again.digest() != self._bytes.hash.digest():
                raise TransferError(
                    f"{self._info.name}: the camera sent different bytes when it was read again",
                    hint="check the card, then run it again",
                )

    # In another thread

    def note(self) -> None:
        """Do nothing: of an unfinished upload nothing is left to a later run."""

    def finish(self) -> Transfer:
        """Wait for the upload, verify the file there, and give it its name.

        Raises:
            FileExistsError: its name is taken.
            SinkError: the destination failed.
            TransferError: the file there differs from the received bytes.
        """
        upload, began = self._upload, time.monotonic()
        assert upload is not None
        try:
            upload.finish()
            modified = self._verify(upload)
            if (stray := self._stray()) is not None:
                self._target.remove(self._at)
                self._path, modified = stray
                self.transfer.path = as_path(self._path)
            elif self._at != self._path:
                self._target.move(self._at, self._path, overwrite=self._options.overwrite)
                found = self._target.look(self._path)
                modified = modified if found is None else found.modified
        except BaseException:
            self.abandon()
            raise
        self._upload = None
        parent = str(self._path.parent)
        self.stored = Stored(parent, self._path.name, self.transfer.size, round(modified * 1e9))
        self.transfer.disk_seconds = time.monotonic() - began
        return self.transfer

    def _stray(self) -> tuple[RemotePath, float] | None:
        """Return a file that has the same bytes, and its time.

        An earlier run that ended before the answer about a name has left it, or another computer.
        """
        if self._strays is None:
            return None
        algorithm, expected = self._options.algorithm or "sha256", self._bytes.hash.hexdigest()
        for entry in self._strays.entries:
            path = self._path.parent / entry.name
            is_same = entry.size == self._bytes.done and path != self._path
            is_same = is_same and self._target.hexdigest(path, algorithm) == expected
            if is_same and self._strays.claim(entry):
                return path, entry.modified
        return None

    def abandon(self) -> None:
        """End the upload, and delete what it has written. Safe to call at any time."""
        upload, self._upload = self._upload, None
        if upload is None:
            return
        upload.give_up()
        if self._target.kind.moves:
            with suppress(SinkError):
                self._target.remove(self._at)

    def _verify(self, upload: Upload) -> float:
        """Verify the file there, and return its modification time."""
        found = self._target.look(self._at)
        size = None if found is None else found.size
        if found is None or size != self._bytes.done:
            self._raise_differs(f"has {size or 0:,} of the {self._bytes.done:,} bytes")
            raise AssertionError
        if self.transfer.verified == "size":
            return found.modified
        expected = self._bytes.hash
        strong = self.transfer.verified == "hash" and upload.etag == found.etag != ""
        if not strong:
            algorithm = self._options.algorithm or "sha256"
            if self._target.hexdigest(self._at, algorithm) != expected.hexdigest():
                self._raise_differs("differs from the received bytes")
        self.transfer.digest = digest_of(expected)
        return found.modified

    def _raise_differs(self, how: str) -> None:
        self._target.remove(self._at)
        raise TransferError(
            f"{self._info.name}: the file at the destination {how}; it was deleted",
            hint="run it again",
        )


class _Bytes:
    """The received bytes of an object.

    Attributes:
        done: How many are in the upload.
        hash: Their hash.
    """

    def __init__(self, algorithm: str) -> None:
        self.done = 0
        self._algorithm = algorithm
        self.hash = self.new_hash()
        self._before = b""  # the end of the last part
        self._buffer = bytearray()
        self._sink: MemorySink | None = None

    def new_hash(self) -> Any:
        """Return an empty hash of the same kind."""
        return new_hash(self._algorithm)

    @property
    def position(self) -> int:
        """How many have come."""
        return self.done + (0 if self._sink is None else self._sink.position)

    def piece(self, size: int) -> tuple[MemorySink, int]:
        """Return a sink for the next part of `size` bytes, and how many of them have come."""
        if self._sink is None:
            self._buffer = bytearray(size)
            self._sink = MemorySink(self._buffer)
        return self._sink, self._sink.position

    def take(self) -> bytearray:
        """Return the part that is complete."""
        buffer = self._buffer
        self.drop_piece()
        return self.add(buffer)

    def drop_piece(self) -> None:
        """Forget what has come of the next part."""
        if self._sink is not None:
            self._sink.abandon()
        self._buffer, self._sink = bytearray(), None

    def add(self, part: bytearray) -> bytearray:
        """Count a part, and return it."""
        self.hash.update(part)
        self.done += len(part)
        self._before = bytes(part[-OVERLAP:])
        return part

    def tail(self) -> bytes:
        """Return the last bytes that have come."""
        came = self.position - self.done
        return (self._before + bytes(self._buffer[max(0, came - OVERLAP) : came]))[-OVERLAP:]
