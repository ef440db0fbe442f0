"""One object that is read through a filesystem, found again after a lost session."""

from __future__ import annotations

import dataclasses
import logging
import os
import tempfile
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

from ..engine.sink import CallbackSink, MemorySink
from ..link.pipelining import Following, Request
from ..ptp.errors import InvalidObjectHandle, ProtocolError, TransferError
from ..ptp.objects import ObjectInfo
from ..session.session import Session
from ..transfer.memory import reader_to_end
from ..transfer.reading import NoPartialRead, ObjectReader
from .camera import OpenCamera

log: logging.Logger = logging.getLogger("ptpfast")

MOST_IN_MEMORY = 8 << 20  # bytes of an object that is read whole; the rest goes to a file


class Target:
    """An object that is read in ranges. If the camera cannot send parts of it, or not tell its
    size, it is read whole into a temporary file, which has the ranges.

    It may be used by several threads. `close` removes the temporary file.
    """

    def __init__(self, info: ObjectInfo) -> None:
        self.info: ObjectInfo = info
        self._lock = threading.RLock()
        self._session: Session | None = None
        self._reader: ObjectReader | None = None
        self._spool: tempfile.SpooledTemporaryFile[bytes] | None = None

    def size(self, camera: OpenCamera) -> int:
        """Return the true size; if only a whole read tells it, by that."""
        size = camera.run(lambda session: self.reader(camera, session).size)
        if size is None:
            with self._lock:
                size = self._whole(camera).seek(0, os.SEEK_END)
        return size

    def reader(self, camera: OpenCamera, session: Session) -> ObjectReader:
        """Return the reader of this object in a session.

        Raises:
            FileNotFoundError: the object is gone, or is another one now.
        """
        with self._lock:
            if self._session is not session:
                if self._session is not None:  # handles are promised for one session only
                    self.info = dataclasses.replace(self.info, remembered=True)
                self._session, self._reader = session, None
            altered = session.link.hub.take_altered(self.info.handle)
            try:
                session.camera.compare(self.info, again=altered)
            except (InvalidObjectHandle, TransferError) as error:
                self.info = camera.found_again(self.info, error)
                self._reader = None
            if self._reader is None:
                self._reader = reader_to_end(session.camera, self.info)
            return self._reader

    def requests(self, session: Session, start: int, size: int) -> Iterator[Request]:
        """Yield the requests that `read` of a range will send; none if it is not known yet."""
        reader = self._reader if self._session is session else None
        return iter(()) if reader is None else reader.requests(start, size)

    def read(
        self,
        camera: OpenCamera,
        sink: MemorySink,
        start: int,
        size: int,
        following: Following | None = None,
    ) -> None:
        """Read a range into an empty sink. A lost session is opened again.

        Raises:
            PTPError: it cannot be read.
        """
        try:
            if self._spool is None:
                self._read_part(camera, sink, start, size, following)
        except NoPartialRead as error:
            log.info("%s; it is read whole", error)
        with self._lock:
            if sink.position == 0 and size:
                spool = self._whole(camera)
                spool.seek(start)
                sink.put(spool.read(size))
        if sink.position != size:
            raise TransferError(
                f"{self.info.name}: {sink.position:,} of {size:,} bytes came at byte {start:,}",
                received=sink.position,
            )

    def _read_part(
        self,
        camera: OpenCamera,
        sink: MemorySink,
        start: int,
        size: int,
        following: Following | None,
    ) -> None:
        def work(session: Session) -> None:
            reader = self.reader(camera, session).another()
            dialect, done = session.link.dialect, sink.position
            if reader.size is None:
                raise NoPartialRead(f"{reader.label()}: the camera does not tell its size")
            try:
                with session.link.plan(following), dialect.reading_part(self.info):
                    reader.read(sink, start + done, size - done)
            except ProtocolError:
                sink.rewind(max(reader.trusted - start, done))
                raise

        camera.run(work, lambda: sink.position)

    def close(self) -> None:
        """Remove the temporary file."""
        with self._lock:
            spool, self._spool = self._spool, None
        if spool is not None:
            spool.close()

    def _whole(self, camera: OpenCamera) -> tempfile.SpooledTemporaryFile[bytes]:
        if self._spool is None:
            spool = tempfile.SpooledTemporaryFile(max_size=MOST_IN_MEMORY)  # noqa: SIM115
            try:
                camera.run(partial(self._pour, camera, spool))
            except BaseException:
                spool.close()
                raise
            self._spool = spool
        return self._spool

    def _pour(
        self,
        camera: OpenCamera,
        spool: tempfile.SpooledTemporaryFile[bytes],
        session: Session,
    ) -> None:
        spool.seek(0)
        spool.truncate()
        sink = CallbackSink(spool.write)
        try:
            with session.link.dialect.reading(self.info):
                self.reader(camera, session).another().read(sink)
            sink.finish()
        finally:
            sink.abandon()

    def download(self, camera: OpenCamera, path: Any, **options: Any) -> None:
        """Download the object into a file, as `Session.download` does; a lost session is opened
        again, and the download resumed."""
        seen = [0]
        progress = options.pop("progress")

        def told(received: int, size: int | None) -> None:
            seen[0] = received
            progress(received, size)

        def work(session: Session) -> None:
            self.reader(camera, session)  # found again
            session.download(self.info, path, progress=told, **options)

        camera.run(work, lambda: seen[0])

    def delete(self, camera: OpenCamera) -> None:
        """Delete the object on the camera."""

        def work(session: Session) -> None:
            self.reader(camera, session)
            session.delete(self.info)

        camera.run(work)
