"""Bytes into a sink, as the engine would."""

from __future__ import annotations

from ptpfast.engine.framing import DataPhase
from ptpfast.engine.sink import Sink
from ptpfast.engine.wire import Data, EndData, OperationResponse, StartData, pack


def pour(sink: Sink, payload: bytes, *, piece: int = 1000) -> None:
    """Sends payload into a sink the only way there is: as a data phase."""
    phase = DataPhase(1, sink)
    phase.feed(pack(StartData(1, len(payload))))
    for at in range(0, len(payload), piece):
        phase.feed(pack(Data(1, payload[at : at + piece])))
    assert phase.feed(pack(EndData(1, b"")) + pack(OperationResponse(0x2001, 1)))
