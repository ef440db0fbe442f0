"""Live view of the simulated Nikon bodies.

Sources: zcine (PTPLiveViewObject.swift) for the frames of GetLiveViewImageEx, libgphoto2
(library.c) for the rest.
"""

from __future__ import annotations

from ...engine.wire import OperationRequest
from ...ptp.codes import ResponseCode
from ..body import Reply, Responder
from .codes import NikonOperation, NikonProperty, NikonResponse
from .datasets import LONG_HEADER, SHORT_HEADER

_WHOLE = (6048, 3400)  # width and height of the picture, as a ZR says them
_SHARP = 2  # it has focused
_AREA = (600, 400, 3024, 1700)  # width, height and middle of what it has focused on


def answer_start(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Start live view, unless a condition prohibits it; it is ready a moment later."""
    prohibition = camera.properties.get(NikonProperty.LiveViewProhibition)
    if prohibition is not None and prohibition.current:
        return Reply(NikonResponse.InvalidStatus)
    _set(camera, 1)
    camera.state["live view starts"] = True
    return Reply()


def answer_end(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """End live view."""
    if not is_on(camera):
        return Reply(NikonResponse.NotLiveView)
    _set(camera, 0)
    return Reply()


def answer_frame(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Answer with a header and a JPEG. The header of the older operation differs by model."""
    if not is_on(camera):
        return Reply(NikonResponse.NotLiveView)
    if starts(camera):
        return Reply(ResponseCode.DeviceBusy)
    jpeg = camera.frame()
    if request.code == NikonOperation.GetLiveViewImg:
        return Reply(data=bytes(_OLDER_HEADER) + jpeg)
    return Reply(data=_header(camera, len(jpeg)) + jpeg)


_OLDER_HEADER = 384


def _header(camera: Responder, length: int) -> bytes:
    """Return the header of GetLiveViewImageEx: big-endian, and shorter in the first generation."""
    is_first = NikonProperty.ApplicationMode in camera.properties_supported
    header = bytearray(SHORT_HEADER if is_first else LONG_HEADER)
    header[12:16] = length.to_bytes(4, "big")
    for at, side in zip((16, 18), _WHOLE, strict=True):
        header[at : at + 2] = side.to_bytes(2, "big")
    if not is_first:
        header[42], header[44] = _SHARP, 1
        for at, number in zip(range(48, 56, 2), _AREA, strict=True):
            header[at : at + 2] = number.to_bytes(2, "big")
    return bytes(header)


def is_on(camera: Responder) -> bool:
    """Return whether live view is on."""
    return bool(camera.state.get("live view"))


def starts(camera: Responder) -> bool:
    """Return whether live view is about to begin; it has begun when asked the next time."""
    return bool(camera.state.pop("live view starts", False))


def _set(camera: Responder, on: int) -> None:
    camera.state["live view"] = on
    status = camera.properties.get(NikonProperty.LiveViewStatus)
    if status is not None:
        status.current = on
