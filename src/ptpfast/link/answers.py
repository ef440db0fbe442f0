"""The result of a finished transaction: errors that name the operation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..engine.phase import Phase
from ..engine.wire import OperationResponse
from ..ptp.codes import OperationCode, ResponseCode, name_of
from ..ptp.errors import DeviceBusy, ProtocolError, PTPError, response_error
from ..vendors import Dialect, Vendor

_OK = int(ResponseCode.OK)  # looked up once: compared with every answer


def response_of(phase: Phase) -> OperationResponse:
    """Return the response of a finished phase."""
    assert phase.response is not None
    return phase.response


def outcome(vendor: Vendor, dialect: Dialect, operation: int, phase: Phase) -> PTPError | None:
    """Return the error of a finished phase; None if it succeeded."""
    response = response_of(phase)
    if response.code == _OK:
        return shortfall(phase)
    make = DeviceBusy if dialect.is_busy(response.code) else response_error
    error = make(
        response.code,
        operation,
        response.parameters,
        doing=phase.label,
        received=phase.received,
        code_name=_name(response.code, ResponseCode, vendor.responses, plain=False),
    )
    error.transaction_id = phase.transaction_id
    return error


def shortfall(phase: Phase) -> ProtocolError | None:
    """Return the error of a phase that ended with OK but brought less payload than announced."""
    if phase.complete:
        return None
    announced = "an end of data" if phase.total is None else f"{phase.total:,} bytes"
    return ProtocolError(
        f"{phase.label}: the camera answered OK after {phase.received:,} bytes, "
        f"having announced {announced}",
        received=phase.received,
        offset=phase.received,
    )


def label_of(vendor: Vendor, operation: int, parameters: tuple[int, ...]) -> str:
    """Return a request as messages show it: `GetObjectInfo(0x40012)`."""
    name = operation_name(vendor, operation)
    return f"{name}({', '.join(f'0x{value:X}' for value in parameters)})"


def operation_name(vendor: Vendor, code: int) -> str:
    """Return `GetPartialObject`, or the number of a code that has no name."""
    return _name(code, OperationCode, vendor.operations)


def _name(code: int, standard: Any, vendor: Any, *, plain: bool = True) -> str:
    for table in (standard, vendor):
        if table is not None and code in table._value2member_map_:
            return str(table(code).name) if plain else name_of(table, code)
    return f"0x{code:04X}"


@dataclass(frozen=True, slots=True)
class Response:
    """The result of `Session.transaction`.

    Attributes:
        code: the response code.
        parameters: the parameters of the response.
        data: the payload of a data-in phase; None without one, or if it went into a sink.
        received: bytes of payload.
    """

    code: int
    parameters: tuple[int, ...]
    data: bytearray | None
    received: int
