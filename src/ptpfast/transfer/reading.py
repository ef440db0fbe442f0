"""One object's bytes into a sink: partial reads with an adaptive chunk, or one streamed GetObject.

Which operation, how much at a time and what to do when it is refused is decided here; the bytes
themselves never pass through (they go from the engine to the sink).
Sources: libgphoto2 (library.c) and airmtp for the order of choice and for going on by what arrived.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from .._engine import DataPhase, Timeline
from .._sink import Sink
from ..codes import OperationCode
from ..errors import (
    InvalidObjectHandle,
    OperationNotSupported,
    ParameterNotSupported,
    ProtocolError,
    PTPError,
    ResponseError,
    TransferError,
)
from ..objects import ObjectInfo
from ..vendors.vendor import PartialRead, Vendor
from .chunking import ChunkPolicy

Progress = Callable[[int, int | None], object]

# Answers of a body that lists a partial read but will not do it (Sony a7C II: InvalidObjectHandle).
_REFUSALS = (OperationNotSupported, ParameterNotSupported, InvalidObjectHandle)


class Camera(Protocol):
    """What reading an object asks of the session."""

    @property
    def vendor(self) -> Vendor: ...
    @property
    def chunks(self) -> ChunkPolicy: ...
    @property
    def refused(self) -> set[int]: ...
    def supports(self, operation: int) -> bool: ...
    def receive(
        self,
        operation: int,
        *parameters: int,
        sink: Sink | None,
        limit: int | None = None,
        label: str | None = None,
        on_pause: Callable[[DataPhase], None] | None = None,
        timeline: Timeline | None = None,
    ) -> DataPhase: ...


class ObjectReader:
    """Reads one object. `trusted` is the offset up to which every byte came in whole reads.

    chunk: None adaptive, 0 the whole object at once, else bytes for each partial read.
    """

    def __init__(
        self,
        camera: Camera,
        info: ObjectInfo,
        *,
        chunk: int | None = None,
        progress: Progress | None = None,
        timeline: Timeline | None = None,
    ) -> None:
        if chunk is not None and chunk < 0:
            raise ValueError("chunk is negative")
        self._camera = camera
        self._info = info
        self._whole = chunk == 0
        self._policy = ChunkPolicy(chunk, fixed=chunk) if chunk else camera.chunks
        self._progress = progress
        self._timeline = timeline
        # Some bodies report size 0 for what is large (gphoto2#526): only the transfer tells.
        self.size = info.size or None
        self.trusted = 0
        self.operation = OperationCode.GetObject.name

    def partial(self, end: int | None = None) -> PartialRead | None:
        """The partial read that reaches `end` (default: the object's), None if there is none."""
        end = self.size if end is None else end
        if end is None:
            return None
        for read in self._camera.vendor.partial_reads:
            if (
                end <= 1 << read.offset_bits
                and self._camera.supports(read.operation)
                and read.operation not in self._camera.refused
            ):
                return read
        return None

    def read(self, sink: Sink, offset: int = 0, size: int | None = None) -> int:
        """Bytes [offset, offset + size) into the sink, to the object's end by default; how many.

        A range needs a partial read. Raises whatever ends it; `trusted` then says how far it was.
        """
        end = self.size if size is None else offset + size
        if self.size is not None and end is not None:
            end = min(end, self.size)
        self.trusted = offset
        if end is not None and offset >= end:
            return 0
        whole = offset == 0 and (end is None or end == self.size)
        read = self.partial(end)
        if read is not None and end is not None and not (whole and self._whole):
            try:
                return self._read_chunks(read, sink, offset, end)
            except _REFUSALS:
                if self.trusted > offset:
                    raise
                self._camera.refused.add(read.operation)
                try:
                    return self.read(sink, offset, size)
                except PTPError:
                    # Nothing else worked either: it was the object, not the operation.
                    self._camera.refused.discard(read.operation)
                    raise
        if not whole:
            raise TransferError(
                f"{self._label()}: the camera cannot read a part of it",
                hint="read the whole object instead",
            )
        return self._read_whole(sink)

    def _label(self) -> str:
        return f"{self._info.name or 'object'} (0x{self._info.handle:X})"

    def _read_chunks(self, read: PartialRead, sink: Sink, offset: int, end: int) -> int:
        position = offset
        self.operation = _operation_name(self._camera.vendor, read.operation)
        while position < end:
            want = min(self._policy.next_size(), end - position)
            began = time.monotonic()
            try:
                phase = self._camera.receive(
                    read.operation,
                    *read.parameters(self._info.handle, position, want),
                    sink=sink,
                    limit=want,
                    label=f"{self.operation} of {self._label()} at {position:,}",
                    on_pause=self._reporter(position),
                    timeline=self._timeline,
                )
            except (PTPError, OSError) as error:
                if not isinstance(error, ResponseError):
                    self._policy.failed()
                raise
            if not phase.received:
                raise TransferError(
                    f"{self._label()}: the camera sent nothing at {position:,} of {end:,} bytes",
                    received=position,
                )
            # By what arrived, not by what was asked for: a body may send less.
            position += phase.received
            self.trusted = position
            self._policy.done(phase.received, time.monotonic() - began)
            if self._progress is not None:
                self._progress(position, self.size)
        return position - offset

    def _read_whole(self, sink: Sink) -> int:
        phase = self._camera.receive(
            OperationCode.GetObject,
            self._info.handle,
            sink=sink,
            limit=self.size,
            label=f"GetObject of {self._label()}",
            on_pause=self._reporter(0),
            timeline=self._timeline,
        )
        if self.size is not None and phase.received != self.size:
            raise TransferError(
                f"{self._label()}: {phase.received:,} bytes came, the camera lists {self.size:,}",
                received=phase.received,
            )
        self.trusted = phase.received
        if self._progress is not None:
            self._progress(phase.received, self.size)
        return phase.received

    def _reporter(self, position: int) -> Callable[[DataPhase], None] | None:
        progress = self._progress
        if progress is None:
            return None

        def report(phase: DataPhase) -> None:
            progress(position + phase.received, self.size)

        return report


def _operation_name(vendor: Vendor, code: int) -> str:
    for table in (OperationCode, vendor.operations):
        if table is not None and code in table._value2member_map_:
            return table(code).name
    return f"0x{code:04X}"


def check_complete(phase: DataPhase) -> None:
    """A phase that ended with OK must be whole: ProtocolError for less than announced."""
    if phase.complete:
        return
    announced = "an end of data" if phase.total is None else f"{phase.total:,} bytes"
    error = ProtocolError(
        f"{phase.label}: the camera said OK after {phase.received:,} bytes, "
        f"having announced {announced}",
        received=phase.received,
        offset=phase.received,
    )
    raise error


__all__ = ["Camera", "ObjectReader", "Progress", "check_complete"]
