"""A Panasonic DC-BGH1 for the simulated camera, with its HTTP gate: experimental.

Facts: webptz (the gate, OpenSession, AutoFocus, ManualFocusDrive) of a DC-BGH1; libgphoto2
(library.c, the report of a GH5 over USB) for the rest.
"""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from ...engine.wire import Builder, OperationRequest
from ...ptp.codes import EventCode, OperationCode, ResponseCode
from ..body import (
    CardFiles,
    Habits,
    Manners,
    Model,
    Reply,
    Reported,
    Responder,
    ResponderOperation,
    parameter,
)
from .codes import (
    LIVE_VIEW_OFF,
    LIVE_VIEW_ON,
    LIVE_VIEW_SIZES,
    RELEASE,
    SESSION_ID,
    PanasonicEvent,
    PanasonicOperation,
)
from .datasets import LiveViewSize, pack_values, parse_values
from .gate import DESCRIPTION

TOKEN = "0123456789abcdef"  # of the simulated camera's password
_MODEL = "DC-BGH1"
_HEAD_OF_FRAME = bytes(64)  # libgphoto2 looks for the JPEG behind it
_SHUTTER = 0x02000030  # the property of the exposure time


def _codes(text: str) -> tuple[int, ...]:
    return tuple(int(word, 16) for word in text.split())


# Those of a GH5 (panasonic-gh5.txt in libgphoto2's tree, commit 813de344), with what webptz asks a
# DC-BGH1 for, and without the session operations of USB. No report of a DC-BGH1 is known.
BGH1 = Reported(
    vendor_extension_version=100,
    operations=_codes(
        """
        1001 1002 1003 1004 1005 1006 1007 1008 1009 100A 100B 100F 1014 1015 1016 101B 9104 9402
        9403 9108 9404 9405 9412 9414 9416 9706
        """
    ),
    events=_codes(
        """
        4004 4005 4006 4008 400C C108 C109 C101 C102 C103 C104 C106 C107 C201 C202 C212
        """
    ),
    properties=_codes("5001 0200"),
    capture_formats=_codes("3801"),
    image_formats=_codes("3001 3006 300D 3800 3801"),
)


def answer_at_gate(camera: Responder, path: str) -> tuple[str, bool]:
    """Answer a question over HTTP; with True the port for PTP/IP opens."""
    if path == DESCRIPTION:
        return (
            '<?xml version="1.0"?><root xmlns:pana="urn:schemas-panasonic-com:pana"><device>'
            "<friendlyName>BGH1-XLU</friendlyName><manufacturer>Panasonic</manufacturer>"
            "<pana:X_PTPPortNo>15740</pana:X_PTPPortNo></device></root>",
            False,
        )
    query = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
    asks = query.get("mode") == "accctrl" and query.get("type") == "req_acc_a"
    password = camera.state.get("password")
    allowed = asks and bool(query.get("value")) and (not password or query.get("value3") == TOKEN)
    result = "ok" if allowed else "err_reject"
    text = f'<?xml version="1.0" encoding="UTF-8"?><camrply><result>{result}</result></camrply>'
    return text, allowed


def _capture(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    if parameter(request, 0) != RELEASE:
        return Reply(ResponseCode.InvalidParameter)
    if camera.is_busy():
        return Reply(ResponseCode.DeviceBusy)
    return Reply() if camera.capture(request.transaction_id) else Reply(ResponseCode.StoreFull)


def _report(
    camera: Responder, code: int, parameters: tuple[int, ...]
) -> list[tuple[int, tuple[int, ...]]]:
    """Return Panasonic's own event for a new object."""
    return [(PanasonicEvent.ObjectAdded if code == EventCode.ObjectAdded else code, parameters)]


def _values(camera: Responder) -> dict[int, bytes]:
    values: dict[int, bytes] = camera.state.setdefault(
        "values", {_SHUTTER: (1000).to_bytes(4, "little")}
    )
    return values


def _get_property(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    code = parameter(request, 0)
    value = _values(camera).get(code)
    if value is None:
        return Reply(ResponseCode.DevicePropNotSupported)
    return Reply(data=pack_values([(code, value)]))


def _set_property(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    values = _values(camera)
    for code, value in parse_values(data):
        if len(values.get(code, b"")) != len(value):
            return Reply(ResponseCode.InvalidDevicePropFormat)
        values[code] = value
    return Reply()


def _live_view(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    wanted = parameter(request, 0)
    if wanted not in (LIVE_VIEW_ON, LIVE_VIEW_OFF):
        return Reply(ResponseCode.InvalidParameter)
    camera.state["live view"] = wanted == LIVE_VIEW_ON
    camera.state["asked"] = 0
    return Reply()


def _live_view_image(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Answer with a frame; with DeviceBusy the first time, as there is none yet."""
    if not camera.state.get("live view"):
        return Reply(ResponseCode.AccessDenied)
    camera.state["asked"] += 1
    if camera.state["asked"] == 1:
        return Reply(ResponseCode.DeviceBusy)
    return Reply(data=_HEAD_OF_FRAME + camera.frame())


def _live_view_sizes(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Answer as a GC9 (libgphoto2 ptp.c)."""
    sizes = [LiveViewSize(480, 640, 32, 30), LiveViewSize(720, 1280, 700, 30)]
    rows = Builder()
    rows.u16(len(sizes))
    rows.u16(8)
    for size in sizes:
        for number in size:
            rows.u16(number)
    return Reply(data=pack_values([(LIVE_VIEW_SIZES, bytes(rows))]))


def _state(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Answer as a GH5 (libgphoto2 ptp.h)."""
    return Reply(data=bytes.fromhex("010001000100e10710000000") + bytes(12))


def _ok(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    return Reply()


OPERATIONS: dict[int, ResponderOperation] = {
    PanasonicOperation.GetState: _state,
    PanasonicOperation.GetProperty: _get_property,
    PanasonicOperation.SetProperty: _set_property,
    PanasonicOperation.InitiateCapture: _capture,
    PanasonicOperation.AutoFocus: _ok,
    PanasonicOperation.ManualFocusDrive: _ok,
    PanasonicOperation.LiveView: _live_view,
    PanasonicOperation.LiveViewImage: _live_view_image,
    PanasonicOperation.GetLiveViewParameters: _live_view_sizes,
}

MODEL = Model(
    manufacturer="Panasonic",
    name=_MODEL,
    device_version="1.0",
    vendor_extension_id=0x0000001C,
    files=CardFiles("100_PANA", "P100", has_raw=False),
    operations=OPERATIONS,
    withheld=frozenset({OperationCode.InitiateCapture}),
    reported=BGH1,
    habits=Habits(connection_number=1, session_id=SESSION_ID),
    compression={1: (False, True)},
    compression_setting=1,
    manners=Manners(report=_report),
    gate=answer_at_gate,
)
BODIES = {"panasonic-bgh1": MODEL}
