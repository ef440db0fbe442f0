"""A payload delivered in pieces while it arrives."""

from __future__ import annotations

from collections.abc import Iterator

from ..engine.buffers import renewed
from ..engine.phase import Phase
from ..engine.sink import MemorySink
from ..ptp.errors import DeviceBusy, TransferError
from .answers import outcome
from .link import Link
from .patience import BUSY_S
from .pipelining import Request


def pieces(link: Link, request: Request, chunk_size: int) -> Iterator[memoryview]:
    """Yield a payload as memoryviews of `chunk_size` bytes, in order; the last may be shorter.

    Their memory is reused once the caller has released them.

    Raises:
        RuntimeError: another operation ran in between.
        ResponseError: the camera did not answer OK.
        ProtocolError: the payload is short.
        TransferError: there is no payload, and the size is unknown.
    """
    patience = link.patience(BUSY_S)
    while True:
        phase = link.connection.begin(request)
        yield from _take(link, phase, chunk_size)
        error = outcome(link.vendor, link.dialect, request, phase)
        if error is None and request.limit is None and not phase.started:
            error = TransferError(f"{request.label}: the camera reported success but sent no data")
        if error is None:
            return
        if not isinstance(error, DeviceBusy) or phase.received:
            raise error
        patience.wait(error)


def _take(link: Link, phase: Phase, chunk_size: int) -> Iterator[memoryview]:
    buffer = bytearray(chunk_size)
    done = False
    while not done:
        buffer = renewed(buffer)
        sink = MemorySink(buffer)
        try:
            done = link.connection.proceed(phase, sink)
        finally:
            size = sink.position
            sink.abandon()
        if size:
            yield memoryview(buffer)[:size]
