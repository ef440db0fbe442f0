"""A Ricoh Theta m15 for the simulated camera.

Facts: Ricoh's "PTP-IP reference", theta4j; libgphoto2 (ptpip.c) for the late second connection.
"""

from __future__ import annotations

from ...engine.wire import OperationRequest
from ...ptp.codes import DevicePropCode, EventCode, OperationCode, ResponseCode
from ..body import (
    CardFiles,
    Habits,
    Manners,
    Model,
    Reply,
    Responder,
    ResponderOperation,
    parameter,
)
from .codes import INTERVAL, RESIZED, SINGLE, RicohOperation, RicohProperty
from .reported import M15, PROPERTIES

_DEAF_S = 0.1  # after Init Command Ack the second connection is refused for a moment


def _value(camera: Responder, code: int) -> int:
    return int(camera.properties[code].current)


def _capture(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Take one picture, unless another mode is set or a series runs (Ricoh's reference)."""
    if _value(camera, DevicePropCode.StillCaptureMode) != SINGLE or _runs(camera):
        return Reply(ResponseCode.DeviceBusy)
    if camera.is_busy():
        return Reply(ResponseCode.DeviceBusy)
    return _take(camera, request.transaction_id)


def _take(camera: Responder, transaction_id: int) -> Reply:
    camera.state["release"] = transaction_id
    return Reply() if camera.capture(transaction_id) else Reply(ResponseCode.StoreFull)


def _runs(camera: Responder) -> bool:
    return bool(_value(camera, RicohProperty.CaptureStatus))


def _start(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Start an interval series; its first picture is taken at once."""
    if _value(camera, DevicePropCode.StillCaptureMode) != INTERVAL or _runs(camera):
        return Reply(ResponseCode.DeviceBusy)
    camera.properties[RicohProperty.CaptureStatus].current = 1
    camera.push_event(EventCode.DevicePropChanged, RicohProperty.CaptureStatus)
    return _take(camera, request.transaction_id)


def _stop(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    if not _runs(camera):
        return Reply(ResponseCode.CaptureAlreadyTerminated)
    camera.properties[RicohProperty.CaptureStatus].current = 0
    camera.push_event(EventCode.DevicePropChanged, RicohProperty.CaptureStatus)
    return Reply()


def _resized(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Answer with the thumbnail; a Theta sends a JPEG of 2048 by 1024."""
    if (parameter(request, 1), parameter(request, 2)) != RESIZED:
        return Reply(ResponseCode.InvalidParameter)
    thumbnail = camera.thumbnail(parameter(request, 0))
    if thumbnail is None:
        return Reply(ResponseCode.InvalidObjectHandle)
    return Reply(data=thumbnail) if thumbnail else Reply(ResponseCode.NoThumbnailPresent)


def _report(
    camera: Responder, code: int, parameters: tuple[int, ...]
) -> list[tuple[int, tuple[int, ...]]]:
    """StoreFull carries the transaction of the release (Ricoh's reference)."""
    if code == EventCode.StoreFull:
        return [(code, (camera.state.get("release", 0),))]
    return [(code, parameters)]


OPERATIONS: dict[int, ResponderOperation] = {
    OperationCode.InitiateCapture: _capture,
    OperationCode.InitiateOpenCapture: _start,
    OperationCode.TerminateOpenCapture: _stop,
    RicohOperation.GetResizedImageObject: _resized,
}

MODEL = Model(
    manufacturer="Ricoh Company, Ltd.",
    name="RICOH THETA m15",
    device_version="01.21",
    vendor_extension_id=0x0000000D,
    files=CardFiles("100RICOH", "R001", has_raw=False),
    operations=OPERATIONS,
    reported=M15,
    habits=Habits(deaf_s=_DEAF_S, cancels=False),
    compression={1: (False, True)},
    compression_setting=1,
    properties=PROPERTIES,
    manners=Manners(report=_report),
)
BODIES = {"ricoh-theta-m15": MODEL}
