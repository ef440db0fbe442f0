"""The simulated body's card: content lists, content transfer, and "Send to Computer"."""

from __future__ import annotations

import hashlib
import time
from datetime import datetime

from ...engine.wire import OperationRequest
from ...ptp.codes import ROOT_OBJECTS, EventCode, OperationCode, ResponseCode
from ...ptp.datasets import ObjectInfoDataset, encode, encode_array, parse_date_time
from ..body import ObjectRange, Reply, Responder, ResponderOperation, parameter
from .codes import CHOSEN, DELETE_PAUSE_S, STATUS, SonyEvent, SonyOperation
from .contents import (
    Content,
    ContentFile,
    ContentInfoList,
    encode_capture_times,
    encode_contents,
)
from .simulated import REFUSED, Sony, sony

DELETED_OK, DELETED_NOT = 1, 2  # results of a deletion; the reference names none: inferred
CHANGES = {EventCode.ObjectAdded: 1, EventCode.ObjectRemoved: 2}
_NO_PARAMETER = Reply(ResponseCode.ParameterNotSupported)
_EPOCH = datetime(1970, 1, 1)
_DESCRIPTION = "<?xml version='1.0'?><root><friendlyName>{}</friendlyName></root>"


def contents(camera: Responder, slot: int) -> list[Content]:
    """Return the contents of a slot, oldest first: the files of one number and folder each."""
    body = sony(camera)
    found: dict[str, Content] = {}
    for handle in camera.handles(slot << 16 | 1):
        info = camera.object_info(handle)
        if info is None or info.object_format == 0x3001:
            continue
        path = camera.path(handle)
        content = found.setdefault(path.rpartition(".")[0], _content(body, handle, info))
        content.protection |= info.protection_status
        content.rating = max(content.rating, camera.ratings.get(handle, -1))
        size = 0 if handle in body.writing else camera.object_size(handle) or 0
        umid = hashlib.sha256(f"{slot} {handle}".encode()).digest()
        number = len(content.files) + 1
        content.files.append(
            ContentFile(number, f"/{path}", info.object_format, size, umid, (6000, 4000))
        )
    return sorted(found.values(), key=lambda content: content.created_local)


def _content(body: Sony, handle: int, info: ObjectInfoDataset) -> Content:
    captured = parse_date_time(info.capture_date) or _EPOCH
    local = int((captured - _EPOCH).total_seconds()) * 1000
    utc = max(0, local - body.profile.zone_h * 3_600_000)
    content = Content(1, handle + body.id_shift, 100, handle & 0x3FFF, created=utc, modified=utc)
    content.created_local = content.modified_local = local
    return content


def _file(camera: Responder, request: OperationRequest) -> tuple[int, int, bool] | None:
    """Return handle, size and whether it is complete, of the file that a request names."""
    content_id, which = parameter(request, 0), parameter(request, 1)
    for content in contents(camera, which >> 24):
        if content.content_id == content_id:
            for file in content.files:
                if file.file_id == which & 0xFFFF:
                    handles = camera.handles((which >> 24) << 16 | 1)
                    handle = next(h for h in handles if f"/{camera.path(h)}" == file.path)
                    return handle, file.size, handle not in sony(camera).writing
    return None


def description(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Answer GetDescriptionFile with a short file of the kind."""
    if parameter(request, 0) not in (1, 2):
        return _NO_PARAMETER
    return Reply(data=_DESCRIPTION.format("camera").encode())


def capture_times(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Answer GetCapturedDateList."""
    times = [each.created_local for each in contents(camera, parameter(request, 0))]
    counted = sony(camera).profile.counted_times
    return Reply(data=encode_capture_times(times, counted=counted))


def content_list(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Answer GetContentInfoList."""
    since = parameter(request, 0) | parameter(request, 1) << 32
    limit, slot, kind = (parameter(request, index) for index in (2, 3, 4))
    if not any(storage >> 16 == slot for storage in camera.storage_ids()) or kind > 1:
        return _NO_PARAMETER
    found = contents(camera, slot)
    found = [each for each in found if (each.created_local if kind else each.created) >= since]
    listed = ContentInfoList(sony(camera).data_time, slot=slot, contents=found[: limit or None])
    return Reply(data=encode_contents(listed))


def content_data(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Answer GetContentData, up to the body's limit."""
    offset = parameter(request, 2) | parameter(request, 3) << 32
    most = parameter(request, 4) & 0x7FFFFFFF
    named = _file(camera, request)
    if named is None or most > sony(camera).profile.most_read:
        return _NO_PARAMETER
    handle, size, is_complete = named
    if not is_complete:
        return Reply(ResponseCode.DeviceBusy)
    if offset > size:
        return _NO_PARAMETER
    now = int(time.time() * 1000)
    stamp = (now & 0xFFFFFFFF, now >> 32)
    return Reply(parameters=stamp, data=ObjectRange(handle, offset, min(most, size - offset)))


def compressed_data(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Answer GetContentCompressedData: a thumbnail, for the screennail too."""
    named = _file(camera, request)
    if named is None or parameter(request, 2) not in (1, 2):
        return _NO_PARAMETER
    thumbnail = camera.thumbnail(named[0])
    return Reply(data=thumbnail) if thumbnail else Reply(ResponseCode.NoThumbnailPresent)


def delete_content(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Answer DeleteContent: all files of the content; the result comes as an event."""
    sitting = sony(camera).sitting
    content_id, slot = parameter(request, 0), parameter(request, 1)
    if time.monotonic() - sitting.deleted_at < DELETE_PAUSE_S:
        return Reply(ResponseCode.DeviceBusy)
    found = [each for each in contents(camera, slot) if each.content_id == content_id]
    if not found:
        return _NO_PARAMETER
    sitting.deleted_at = time.monotonic()
    result = DELETED_NOT
    if not found[0].protection:
        result = DELETED_OK
        paths = {file.path for file in found[0].files}
        for handle in camera.handles(slot << 16 | 1):
            if f"/{camera.path(handle)}" in paths:
                camera.delete(handle)
    camera.push_event(SonyEvent.DeleteResult, result, content_id, slot)
    return Reply()


def chosen(camera: Responder, request: OperationRequest) -> Reply | None:
    """Answer about the storage of chosen pictures, which is beside the cards; None if it is not
    meant. That its pictures have the handles of the card's is inferred."""
    code = request.code
    if code == OperationCode.GetStorageIDs:
        return Reply(data=encode_array([*camera.storage_ids(), CHOSEN], "u32"))
    if parameter(request, 0) != CHOSEN:
        return None
    handles = [] if parameter(request, 2) not in (0, ROOT_OBJECTS) else list(camera.marked)
    if code == OperationCode.GetObjectHandles:
        return Reply(data=encode_array(handles, "u32"))
    if code == OperationCode.GetNumObjects:
        return Reply(parameters=(len(handles),))
    info = camera.storage_info(camera.storage_ids()[0])
    if code == OperationCode.GetStorageInfo and info is not None:
        return Reply(data=encode(info))
    return None


def transfer_mode(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Answer SetContentsTransferMode: the cards come and go, with events."""
    sitting = sony(camera).sitting
    sitting.has_card = parameter(request, 1) == 1
    for storage in camera.storage_ids():
        code = EventCode.StoreAdded if sitting.has_card else EventCode.StoreRemoved
        camera.push_event(code, storage)
    camera.push_event(SonyEvent.DevicePropChanged)
    return Reply()


def partial_large_object(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Answer GetPartialLargeObject."""
    handle, low, high, most = (parameter(request, index) for index in range(4))
    offset, size = low | high << 32, camera.object_size(handle)
    if size is None or not camera.is_on_card(handle):
        return Reply(ResponseCode.InvalidObjectHandle)
    if offset > size or most == 0xFFFFFFFF:
        return Reply(ResponseCode.InvalidParameter)
    sent = min(most, size - offset)
    return Reply(parameters=(sent,), data=ObjectRange(handle, offset, sent))


def set_status(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Answer SetSendStatus: busy until the status is asked for."""
    sitting = sony(camera).sitting
    if sitting.owes_status:
        return Reply(ResponseCode.DeviceBusy)
    kind = int.from_bytes(data[4:8], "little")
    if parameter(request, 0) != STATUS or len(data) < 16 or kind not in (2, 3, 4, 5):
        return Reply(ResponseCode.InvalidParameter)
    sitting.owes_status = True
    if sitting.mode is not None:
        return Reply()  # under remote control it says nothing to the body (libgphoto2 sends it)
    if kind != 2 and not sitting.sends:
        return REFUSED
    sitting.sends = True
    sitting.told_to_sleep |= kind == 5
    return Reply()


def get_status(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Answer GetSendStatus."""
    sony(camera).sitting.owes_status = False
    return Reply(data=bytes(16))


CONTENT_OPERATIONS: dict[int, ResponderOperation] = {
    SonyOperation.GetDescriptionFile: description,
    SonyOperation.GetCapturedDateList: capture_times,
    SonyOperation.GetContentInfoList: content_list,
    SonyOperation.GetContentData: content_data,
    SonyOperation.GetContentCompressedData: compressed_data,
    SonyOperation.DeleteContent: delete_content,
}
OPERATIONS: dict[int, ResponderOperation] = {
    **CONTENT_OPERATIONS,
    SonyOperation.SetContentsTransferMode: transfer_mode,
    SonyOperation.GetPartialLargeObject: partial_large_object,
    SonyOperation.SetSendStatus: set_status,
    SonyOperation.GetSendStatus: get_status,
}
