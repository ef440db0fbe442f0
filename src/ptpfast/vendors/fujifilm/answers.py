"""What a simulated body answers: remote control and pictures.

Facts: vcam (src/fuji/fuji.c), fudge (lib/fuji.c), malc0mn/ptp-ip (a mock of an X-T1).
"""

from __future__ import annotations

from dataclasses import replace

from ...engine.wire import OperationRequest
from ...ptp.codes import EventCode, OperationCode, ResponseCode
from ...ptp.datasets import encode
from ..body import ObjectRange, Reply, Responder, ResponderOperation, parameter
from .codes import (
    BACKUP_OBJECT,
    PIECE,
    RELEASE,
    THUMB_NEEDS_INFO,
    CameraState,
    ClientState,
    FujifilmOperation,
)
from .codes import FujifilmProperty as Property
from .conduct import (
    SILENCE,
    Session,
    get_descriptions,
    get_value,
    session_of,
    set_value,
    tell_pictures,
)

PREVIEW_SIZE = 100_000  # that a picture seems to have without EnableCorrectFileSize (fudge)


# Remote control


def _open_capture(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    session = session_of(camera)
    if session.client != ClientState.REMOTE or session.offers != CameraState.REMOTE:
        return Reply(ResponseCode.AccessDenied)
    session.remote, session.pictures = True, False
    camera.open_ports(opened=True)
    for code in camera.state["remote properties"]:
        desc = camera.properties.get(code)
        if desc is not None and isinstance(desc.current, int):
            session.news[code] = desc.current & 0xFFFFFFFF
    return Reply()


def _end_capture(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    session = session_of(camera)
    if not session.remote:
        return Reply(ResponseCode.CaptureAlreadyTerminated)
    session.remote = False
    return Reply()


def _capture(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Take a picture, unless the preview of the last one was not read (malc0mn)."""
    session = session_of(camera)
    if not session.remote:
        return Reply(ResponseCode.AccessDenied)
    if session.action not in (None, RELEASE):
        return Reply()  # it has focused, or lets the focus go
    if session.preview is not None or camera.is_busy():
        return Reply(ResponseCode.DeviceBusy)
    session.releasing = True
    try:
        taken = camera.capture(request.transaction_id)
    finally:
        session.releasing = False
    return Reply() if taken else Reply(ResponseCode.StoreFull)


def _get_preview(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    session = session_of(camera)
    preview, session.preview = session.preview, None
    if preview is None:
        return Reply(ResponseCode.AccessDenied)
    camera.push_event(EventCode.CaptureComplete, request.transaction_id)
    return Reply(data=preview)


# Pictures


def _handle(session: Session, request: OperationRequest) -> int:
    """Return the object that a request means: the first of a multiple transfer is always 1."""
    handle = parameter(request, 0)
    if session.offers != CameraState.MULTIPLE_TRANSFER:
        return handle
    return session.chosen[0] if handle == 1 and session.chosen else BACKUP_OBJECT


def _size(camera: Responder, session: Session, handle: int) -> int | None:
    size = camera.object_size(handle)
    if size is None or session.full_size:
        return size
    return min(size, PREVIEW_SIZE)


def _get_info(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    session = session_of(camera)
    handle = _handle(session, request)
    info, size = camera.object_info(handle), _size(camera, session, handle)
    if info is None or size is None:
        return Reply(ResponseCode.InvalidObjectHandle)
    session.described.add(handle)
    told = replace(info, object_compressed_size=min(size, 0xFFFFFFFF))
    return Reply(data=encode(told))


def _get_object(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    session = session_of(camera)
    handle = _handle(session, request)
    size = _size(camera, session, handle)
    if size is None:
        return Reply(ResponseCode.InvalidObjectHandle)
    return Reply(data=ObjectRange(handle, 0, size))


def _get_partial(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    session = session_of(camera)
    handle = _handle(session, request)
    offset, most = parameter(request, 1), parameter(request, 2)
    size = _size(camera, session, handle)
    if size is None:
        return Reply(ResponseCode.InvalidObjectHandle)
    if most > PIECE:
        return SILENCE  # as an X-A2 stalls (fudge)
    if offset > size:
        return Reply(ResponseCode.InvalidParameter)
    sent = min(most, size - offset)
    if session.offers == CameraState.MULTIPLE_TRANSFER and (most != PIECE or offset + sent == size):
        session.chosen.pop(0)  # the next picture takes its handle (vcam)
        tell_pictures(camera, session)
    return Reply(parameters=(sent,), data=ObjectRange(handle, offset, sent))


def _get_thumb(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    session = session_of(camera)
    handle = _handle(session, request)
    if session.offers == CameraState.AUTO_SAVE:
        return Reply(ResponseCode.NoThumbnailPresent)
    version = camera.state["versions"].get(Property.RemoteVersion, 0)
    if version > THUMB_NEEDS_INFO and handle not in session.described:
        return SILENCE
    thumbnail = camera.thumbnail(handle)
    if thumbnail is None:
        return Reply(ResponseCode.InvalidObjectHandle)
    return Reply(data=thumbnail) if thumbnail else Reply(ResponseCode.NoThumbnailPresent)


def _refuse(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    return Reply(ResponseCode.OperationNotSupported)


OPERATIONS: dict[int, ResponderOperation] = {
    OperationCode.GetDevicePropValue: get_value,
    OperationCode.SetDevicePropValue: set_value,
    OperationCode.InitiateOpenCapture: _open_capture,
    OperationCode.TerminateOpenCapture: _end_capture,
    OperationCode.InitiateCapture: _capture,
    OperationCode.GetObjectInfo: _get_info,
    OperationCode.GetObject: _get_object,
    OperationCode.GetPartialObject: _get_partial,
    OperationCode.GetThumb: _get_thumb,
    # That a picture can be deleted over Wi-Fi is not known of any body.
    OperationCode.DeleteObject: _refuse,
    FujifilmOperation.GetPropertyDescriptions: get_descriptions,
    FujifilmOperation.GetCapturePreview: _get_preview,
}
