"""The result of a finished transaction: errors that name the operation."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from ..engine.phase import Phase
from ..engine.wire import OperationResponse
from ..ptp.codes import OperationCode, ResponseCode, name_of
from ..ptp.errors import DeviceBusy, ProtocolError, PTPError, response_error
from ..ptp.words import label_of
from ..vendors import Dialect, Vendor
from .pipelining import Request

log: logging.Logger = logging.getLogger("ptpfast")

_OK = int(ResponseCode.OK)  # looked up once: compared with every answer


def response_of(phase: Phase) -> OperationResponse:
    """Return the response of a finished phase."""
    assert phase.response is not None
    return phase.response


def outcome(vendor: Vendor, dialect: Dialect, request: Request, phase: Phase) -> PTPError | None:
    """Return the error of a finished phase; None if it succeeded."""
    response = response_of(phase)
    if response.code == _OK:
        return shortfall(phase)
    make = DeviceBusy if dialect.is_busy(response.code) else response_error
    error = make(
        response.code,
        request.operation,
        response.parameters,
        doing=_spelled(vendor, request),
        received=phase.received,
        code_name=_name(response.code, ResponseCode, vendor.responses, plain=False),
    )
    error.transaction_id = phase.transaction_id
    error.doing = phase.label
    log.debug("refused: %s", error.detail)
    return error


def shortfall(phase: Phase) -> ProtocolError | None:
    """Return the error of a phase that ended with OK but brought less payload than announced."""
    if phase.complete:
        return None
    announced = "an end of data" if phase.total is None else f"{phase.total:,} bytes"
    return ProtocolError(
        f"{phase.label}: the camera ended after {phase.received:,} bytes, "
        f"having announced {announced}",
        received=phase.received,
        offset=phase.received,
    )


def _spelled(vendor: Vendor, request: Request) -> str:
    """Return a request by its names: `GetObjectInfo(0x40012)`."""
    parameters = ", ".join(f"0x{value:X}" for value in request.parameters)
    return f"{operation_name(vendor, request.operation)}({parameters})"


def request_label(vendor: Vendor, operation: int, parameters: tuple[int, ...]) -> str:
    """Return a request as messages show it: `describing file 0x40012`."""
    return label_of(operation, parameters, operation_name(vendor, operation))


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
