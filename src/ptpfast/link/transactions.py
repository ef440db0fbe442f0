"""Transactions by their PTP meaning: labels for messages, errors by response code, a busy camera
asked again. What the operations are for is `session`'s business, packets are `connection`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ..engine.buffers import renewed
from ..engine.channel import DataPhase, Timeline
from ..engine.sink import MemorySink, Sink
from ..engine.wire import OperationResponse
from ..ptp.codes import OperationCode, ResponseCode, name_of
from ..ptp.errors import DeviceBusy, ProtocolError, PTPError, TransferError, response_error
from ..vendors import Vendor
from .connection import Connection
from .losses import Losses
from .patience import BRIEF_BUSY_S, BUSY_S, Patience
from .pipelining import Doubt, Following, Request

# What a camera may make us hold. Larger payloads that are no objects do not exist: 10,000 handles
# are 40 KB, an embedded preview some MB; a dataset that is taken apart into Python's numbers and
# strings, each many times its size on the wire, has a few hundred bytes.
MAX_DATASET = 64 << 20
MAX_STRUCTURE = 1 << 20
_OK = int(ResponseCode.OK)  # looked up once: compared with every answer


@dataclass(frozen=True, slots=True)
class Response:
    """The answer to `Session.transaction`: response code and parameters, and the payload of a
    data-in phase (None when there was none, or when it went into a sink)."""

    code: int
    parameters: tuple[int, ...]
    data: bytearray | None
    received: int


class Transactions:
    """Runs operations on a connection. `operations` are those the camera lists; `pipeline_depth` is
    how many requests may be outstanding where many are made: 1 unless the camera is known to cope.
    """

    def __init__(self, connection: Connection, vendor: Vendor) -> None:
        self.connection = connection
        self.vendor = vendor
        self.operations: frozenset[int] = frozenset()
        self.pipeline_depth = 1
        self.pipelined = 0  # transactions that went well with others outstanding
        self.losses = Losses()
        # Told before each pause while the camera is busy: its answer, and for how long so far.
        self.told_busy: Callable[[PTPError, float], object] | None = None
        self.is_brief = False  # a busy camera is hardly waited for
        self._doubt = Doubt()

    def patience(self, limit_s: float) -> Patience:
        """How long a busy camera is asked again: `limit_s`, unless it has been for long."""
        brief = self.is_brief or self.losses.streak.is_long
        return Patience(min(limit_s, BRIEF_BUSY_S) if brief else limit_s, told=self.told_busy)

    def supports(self, operation: int) -> bool:
        """Whether the camera lists the operation."""
        return operation in self.operations

    def receive(
        self,
        operation: int,
        *parameters: int,
        sink: Sink | None,
        data: Any = None,
        limit: int | None = None,
        busy_s: float | None = None,
        label: str | None = None,
        in_session: bool = True,
        any_transaction_id: bool = False,
        on_pause: Callable[[DataPhase], None] | None = None,
        timeline: Timeline | None = None,
    ) -> DataPhase:
        """One operation with its payload into `sink`; the finished phase. A busy camera is asked
        again for `busy_s` (10 s by default). ResponseError unless OK, ProtocolError for a short
        payload."""
        label = label or self._label(operation, parameters)
        if sink is None and limit is None:
            limit = MAX_STRUCTURE  # nobody wants it: not without end
        patience: Patience | None = None
        while True:
            phase = self.connection.transact(
                operation,
                parameters,
                data=data,
                sink=sink,
                limit=limit,
                in_session=in_session,
                any_transaction_id=any_transaction_id,
                label=label,
                on_pause=on_pause,
                timeline=timeline,
            )
            error = self._outcome(operation, phase)
            self._learn(operation, phase, error)
            if error is None:
                return phase
            if not isinstance(error, DeviceBusy) or phase.received:
                raise error
            patience = patience or self.patience(BUSY_S if busy_s is None else busy_s)
            patience.wait(error)

    def pipeline(
        self,
        next_request: Callable[[], Request | None],
        done: Callable[[Request, DataPhase, PTPError | None], None],
        *,
        timeline: Timeline | None = None,
        following: Following | None = None,
    ) -> None:
        """Many operations, `pipeline_depth` of them outstanding at a time; see `Connection.run`.
        One at a time while it is in doubt, and from when it is known, that the camera is busy with
        what is sent ahead.

        `done` is given what is wrong with each: a ResponseError (a busy camera is not asked again
        here), a ProtocolError for a short payload, or None.
        """

        def finished(request: Request, phase: DataPhase) -> None:
            error = self._outcome(request.operation, phase)
            self.pipelined += phase.early and not isinstance(error, DeviceBusy)
            self._learn(request.operation, phase, error)
            done(request, phase, error)

        def depth() -> int:
            return 1 if self._doubt.is_open else self.pipeline_depth

        self.connection.run(
            next_request, finished, depth=depth, timeline=timeline, following=following
        )

    def _learn(self, operation: int, phase: DataPhase, error: PTPError | None) -> None:
        """From each answer, whether the camera is busy with what is sent ahead."""
        busy = isinstance(error, DeviceBusy)
        if self._doubt.answered(operation, early=phase.early, busy=busy):
            self._doubt = Doubt()
            if self.pipeline_depth > 1:
                self.one_at_a_time("it is busy while others are outstanding", to_blame=True)

    def one_at_a_time(self, why: str, *, to_blame: bool) -> None:
        """Sends no requests ahead any more. to_blame: it is the camera that does not cope."""
        self.pipeline_depth = 1

    @property
    def sent_ahead(self) -> Request | None:
        """What the camera is already at work on, for the next `pipeline`."""
        return self.connection.sent_ahead

    def pieces(
        self, operation: int, *parameters: int, limit: int | None, label: str, chunk_size: int
    ) -> Iterator[memoryview]:
        """A payload as memoryviews of `chunk_size` bytes, in order, the last perhaps shorter.

        Their memory is used again once nobody holds them. RuntimeError when another operation is
        run in between: that ends it. ResponseError unless OK, ProtocolError for a short payload,
        TransferError for none at all where nobody knows the size.
        """
        patience = self.patience(BUSY_S)
        while True:
            request = Request(operation, parameters, None, limit, label)
            phase = self.connection.begin(request)
            yield from self._take(phase, chunk_size)
            error = self._outcome(operation, phase)
            if error is None and limit is None and not phase.started:
                error = TransferError(f"{label}: the camera said OK and sent nothing")
            if error is None:
                return
            if not isinstance(error, DeviceBusy) or phase.received:
                raise error
            patience.wait(error)

    def _take(self, phase: DataPhase, chunk_size: int) -> Iterator[memoryview]:
        buffer = bytearray(chunk_size)
        done = False
        while not done:
            buffer = renewed(buffer)
            sink = MemorySink(buffer)
            try:
                done = self.connection.proceed(phase, sink)
            finally:
                size = sink.position
                sink.abandon()
            if size:
                yield memoryview(buffer)[:size]

    def _outcome(self, operation: int, phase: DataPhase) -> PTPError | None:
        """What is wrong with a finished phase: the camera's answer, or a payload cut short."""
        response = self.connection.response(phase)
        if response.code == _OK:
            return shortfall(phase)
        error = response_error(
            response.code,
            operation,
            response.parameters,
            doing=phase.label,
            received=phase.received,
            code_name=self._response_name(response.code),
        )
        error.transaction_id = phase.transaction_id
        return error

    def _label(self, operation: int, parameters: tuple[int, ...]) -> str:
        name = self._name(operation, OperationCode, self.vendor.operations)
        return f"{name}({', '.join(f'0x{value:X}' for value in parameters)})"

    def _response_name(self, code: int) -> str:
        return self._name(code, ResponseCode, self.vendor.responses, plain=False)

    @staticmethod
    def _name(code: int, standard: Any, vendor: Any, *, plain: bool = True) -> str:
        for table in (standard, vendor):
            if table is not None and code in table._value2member_map_:
                return str(table(code).name) if plain else name_of(table, code)
        return f"0x{code:04X}"

    def fetch(self, operation: int, *parameters: int, limit: int = MAX_DATASET) -> bytearray:
        """An operation with data-in, its payload as a whole (a dataset); ProtocolError for one of
        more than `limit` bytes."""
        sink = MemorySink()
        self.receive(operation, *parameters, sink=sink, limit=limit)
        return sink.finish() or bytearray()

    def command(
        self, operation: int, *parameters: int, data: Any = None, busy_s: float | None = None
    ) -> OperationResponse:
        """An operation without data-in; with `data` (bytes-like) a data-out phase."""
        phase = self.receive(operation, *parameters, sink=None, data=data, busy_s=busy_s)
        return self.connection.response(phase)

    def transaction(
        self, operation: int, *parameters: int, data: Any = None, sink: Sink | None = None
    ) -> Response:
        """Any operation, vendors' too. data: bytes-like for a data-out phase. sink: where the
        payload of a data-in phase goes; without one it is in the Response. ResponseError unless
        OK."""
        own = MemorySink() if sink is None else None
        phase = self.receive(operation, *parameters, sink=sink or own, data=data)
        response = self.connection.response(phase)
        payload = own.finish() if own is not None and phase.started else None
        return Response(response.code, response.parameters, payload, phase.received)


def shortfall(phase: DataPhase) -> ProtocolError | None:
    """What is wrong with a phase that ended with OK: less payload than announced, or nothing."""
    if phase.complete:
        return None
    announced = "an end of data" if phase.total is None else f"{phase.total:,} bytes"
    return ProtocolError(
        f"{phase.label}: the camera said OK after {phase.received:,} bytes, "
        f"having announced {announced}",
        received=phase.received,
        offset=phase.received,
    )
