"""One object's bytes into a sink: partial reads with an adaptive chunk, or one streamed GetObject.

Which operation, how much at a time and what to do when it is refused is decided here; the bytes
themselves never pass through (they go from the engine to the sink).
Sources: libgphoto2 (library.c) and airmtp for the order of choice and for going on by what arrived.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from ..engine.channel import Timeline
from ..engine.phase import Phase
from ..engine.sink import Sink
from ..link.answers import operation_name
from ..link.camera import Camera
from ..link.chunking import ChunkPolicy
from ..link.pace import Overdue
from ..link.pipelining import Overfull, Request
from ..ptp.errors import (
    InvalidObjectHandle,
    NetworkError,
    OperationNotSupported,
    ParameterNotSupported,
    ProtocolError,
    ResponseError,
    TransferError,
)
from ..ptp.objects import ObjectInfo
from ..vendors.reads import PartialRead
from .chunks import chunk_request, object_label, read_label, whole_read
from .ends import FOUR_GIB, End
from .ranges import RangeReader

Progress = Callable[[int, int | None], object]

# Answers of a body that lists a partial read but will not do it (Sony a7C II: InvalidObjectHandle).
_REFUSALS = (OperationNotSupported, ParameterNotSupported, InvalidObjectHandle)


class NoPartialRead(TransferError):
    """A part of an object was asked for, and the camera sends objects whole only."""


class ObjectReader:
    """Reads one object.

    size: of the object, if that is known better than from its description. chunk: None adaptive, 0
    the whole object at once, else bytes for each partial read.
    """

    def __init__(
        self,
        camera: Camera,
        info: ObjectInfo,
        *,
        size: int | None = None,
        chunk: int | None = None,
        progress: Progress | None = None,
        timeline: Timeline | None = None,
    ) -> None:
        if chunk is not None and chunk < 0:
            raise ValueError("chunk is negative")
        self.camera = camera
        self.info = info
        sends_whole = camera.link.dialect.whole() is not None
        self._told = chunk == 0 and sends_whole
        is_whole = chunk is None and sends_whole and camera.habits.chunks.is_whole(info.size)
        self._whole = self._told or is_whole
        self._policy = ChunkPolicy(chunk, fixed=chunk) if chunk else camera.habits.chunks
        self._progress = progress
        self._timeline = timeline
        self._began = time.monotonic()
        # Some bodies report size 0 for what is large (gphoto2#526): only the transfer tells.
        self.size = size or info.size or None
        self.end_is_proven: bool = False  # it ends where its size says
        self._least = 0  # bytes it has, if its size is not known
        self._trusted = 0
        self._chunks: RangeReader | None = None  # at work
        self.operation: str = "GetObject"
        self.chunks: list[int] = []  # sizes of partial reads, each time it changed

    @property
    def trusted(self) -> int:
        """The offset up to which every byte came in whole reads."""
        return self._trusted if self._chunks is None else self._chunks.position

    @property
    def in_parts(self) -> bool:
        """Whether partial reads are under way: what came of one may be taken back until it is
        whole."""
        return self._chunks is not None

    def partial(self, end: int | None = None) -> PartialRead | None:
        """Return the partial read that reaches `end`, by default the end of the object; or None."""
        end = self.size if end is None else end
        if end is None:
            return None
        for read in self.camera.link.dialect.reads():
            if (
                end <= 1 << read.offset_bits
                and self.camera.link.supports(read.operation)
                and read.operation not in self.camera.habits.refused
            ):
                return read
        return None

    def read(self, sink: Sink, offset: int = 0, size: int | None = None) -> int:
        """Bytes [offset, offset + size) into the sink, to the object's end by default; how many.

        A range needs a partial read. After an error `trusted` says how far it was.
        """
        end = self.size if size is None else offset + size
        if self.size is not None and end is not None:
            end = min(end, self.size)
        self._trusted, start = offset, sink.position
        self._began = time.monotonic()
        if end is not None and offset >= end:
            return 0
        if (held := self.camera.link.dialect.held(self.info.handle)) is not None:
            return self._read_held(held, sink, offset, end)
        whole = offset == 0 and (end is None or end == self.size)
        if whole and self._whole:
            try:
                return self._read_whole(sink)
            except (NetworkError, ProtocolError, TransferError) as error:
                if not isinstance(error, Overdue):  # by our own clock: the camera is not to blame
                    self._policy.whole_failed()
                raise
            except ResponseError:
                # What is known of the model is one thing, what it says now another.
                if self._told or sink.position != start or self.partial() is None:
                    raise
                self._policy.whole_failed()
        read = self.partial(end)
        if read is not None and end is not None:
            try:
                return self._read_chunks(read, sink, (offset, end))
            except _REFUSALS:
                if self.trusted > offset or sink.position != start or self._has_one_way:
                    raise  # it has worked so far: it is not the operation that is refused
            return self._read_without(read, sink, offset, size)
        if not whole:
            raise NoPartialRead(
                f"{self.label()}: the camera cannot send parts of it",
                hint="read the whole object instead",
            )
        return self._read_whole(sink)

    def _read_held(self, held: bytes | bytearray, sink: Sink, offset: int, end: int | None) -> int:
        """Take a range of an object that the dialect has already received."""
        self.check_whole(len(held))
        with memoryview(held) as view:
            try:
                sink.put(view[offset:end])
            except ValueError as error:
                raise Overfull(f"{self.label()}: it has more bytes than fit") from error
        self._trusted = len(held) if end is None else end
        self.end_is_proven = True
        self._report(self._trusted)
        return self._trusted - offset

    @property
    def _has_one_way(self) -> bool:
        """True if one partial read is all that the camera has, so that the object is refused."""
        dialect = self.camera.link.dialect
        return dialect.whole() is None and len(dialect.reads()) == 1

    def _read_without(self, read: PartialRead, sink: Sink, offset: int, size: int | None) -> int:
        """In another way, for good if that works and this one never has."""
        self.camera.habits.refused.add(read.operation)
        for_good = False
        try:
            received = self.read(sink, offset, size)
            for_good = read.operation not in self.camera.habits.proven
            return received
        finally:
            if not for_good:  # it was the object, or a whim
                self.camera.habits.refused.discard(read.operation)

    def find_end(self) -> None:
        """Read where the object should end; take the true size if it does not.

        Raises:
            TransferError: the object is larger than described, and its size cannot be found.
        """
        if self.size is None or self.partial() is None:
            return  # a whole object tells
        end = End(self.camera, self.info.handle, self.partial, self.label())
        there = end.is_at(self.size)
        if there is False:
            self.size = end.search(self.size)
            self._least = FOUR_GIB if self.size is None else 0
        self.end_is_proven = there is not None and self.size is not None

    def confirm_end(self) -> None:
        """Check the end of an object that has been read, unless it is known.

        Raises:
            TransferError: the object ends elsewhere.
        """
        if self.end_is_proven:
            return
        size = self.size
        self.find_end()
        if self.size != size:
            raise TransferError(f"{self.label()} is larger than the listed {size:,} bytes")

    def another(self, *, progress: Progress | None = None) -> ObjectReader:
        """Return a reader of the same object, with the size that this one knows."""
        reader = ObjectReader(self.camera, self.info, progress=progress)
        reader.size, reader._least = self.size, self._least
        return reader

    def label(self) -> str:
        """Return the object as messages show it."""
        return object_label(self.info)

    def requests(self, offset: int = 0, size: int | None = None) -> Iterator[Request]:
        """Yield the requests of the same `read`; none unless they are partial reads."""
        end = self.size if size is None else offset + size
        whole = offset == 0 and end == self.size
        read = self.partial(end)
        if read is None or end is None or (whole and self._whole):
            return
        label = read_label(self.info)
        while offset < end:
            want = self._policy.next_size(end - offset)
            yield chunk_request(read, self.info.handle, offset, want, label)
            offset += want

    def _read_chunks(self, read: PartialRead, sink: Sink, span: tuple[int, int]) -> int:
        self.operation = operation_name(self.camera.link.vendor, read.operation)
        chunks = self._chunks = RangeReader(
            self.camera,
            self.info,
            read,
            sink,
            span,
            self._policy,
            self._report,
            self._timeline,
        )
        try:
            chunks.run()
        finally:
            self._trusted, self._chunks = chunks.position, None
            self.chunks += chunks.sizes
        self.camera.habits.proven.add(read.operation)
        return chunks.position - span[0]

    def _read_whole(self, sink: Sink) -> int:
        phase = self._get_object(sink)
        if not phase.received and (self.size is not None or not phase.started):
            phase = self._get_object(sink)  # nothing at all is believed the second time
        if self.size is None and not phase.started:
            # An empty file has a data phase too, if an empty one: this is no file at all.
            raise TransferError(
                f"{self.label()}: the camera reported success but sent no data",
                hint="retry this object alone, or copy it from the card",
            )
        self.check_whole(phase.received)
        self.end_is_proven = True  # the camera said so
        self._trusted = phase.received
        self._policy.whole_paused(phase.silence, phase.received)
        self._report(phase.received)
        return phase.received

    def check_whole(self, received: int) -> None:
        """TransferError unless a whole object may have so many bytes."""
        if self.size is not None and received != self.size:
            raise TransferError(
                f"{self.label()}: received {received:,} bytes, but the camera lists {self.size:,}",
                received=received,
            )
        if received < self._least:
            raise TransferError(
                f"{self.label()}: {received:,} bytes came of {self._least:,} or more",
                hint="copy it from the card",
                received=received,
            )

    def _get_object(self, sink: Sink) -> Phase:
        whole = whole_read(self.camera)
        self.operation = operation_name(self.camera.link.vendor, whole.operation)
        request = Request(
            whole.operation,
            whole.parameters(self.info.handle),
            sink,
            self.size,
            read_label(self.info),
            lambda phase: self._report(phase.received),
        )
        return self.camera.link.transact(request, timeline=self._timeline)

    def _report(self, received: int) -> None:
        total_s = self.camera.link.timeouts.total
        if total_s is not None and time.monotonic() - self._began > total_s:
            raise Overdue(f"{self.label()}: not complete after {total_s:g} s", received=received)
        if self._progress is not None:
            self._progress(received, self.size)
