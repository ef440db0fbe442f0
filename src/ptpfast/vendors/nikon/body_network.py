"""Nikon bodies in connect-to-PC mode, for the simulated camera: approval, slot, modes, send queue.

Sources: camcon (a Z 8 and a Z 6) for approval, pauses, the locked slot and the send queue;
libgphoto2 (config.c) and camcon for the application mode.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, replace
from functools import partial

from ...engine.wire import Builder, OperationRequest
from ...ptp.codes import EventCode, FailReason, OperationCode, ResponseCode
from ...ptp.datasets import DeviceInfo, encode_array
from ..body import Later, Manners, Model, Reply, Responder, parameter
from .announcement import announcing
from .codes import SUCCEEDED, NikonOperation, NikonProperty

# What a body lists for a computer that its owner has not approved.
HOLLOW = (
    OperationCode.GetDeviceInfo,
    OperationCode.OpenSession,
    OperationCode.CloseSession,
    NikonOperation.ConfirmPairing,
    NikonOperation.GetPairingInfo,
)
# The operations that need the card, with the answer of a body that hides it.
_LISTS = (OperationCode.GetStorageIDs, NikonOperation.GetVendorStorageIDs)
_OF_CARD = frozenset(
    {
        OperationCode.GetStorageInfo,
        OperationCode.GetNumObjects,
        OperationCode.GetObjectHandles,
        OperationCode.GetObjectInfo,
        OperationCode.GetObject,
        OperationCode.GetThumb,
        OperationCode.GetPartialObject,
        NikonOperation.GetObjectSize,
        NikonOperation.GetPartialObjectEx,
    }
)
# What the picture transfer profile locks until AdvancedTransfer has named the object.
_LOCKED = frozenset(
    {
        OperationCode.GetObjectInfo,
        OperationCode.GetObject,
        OperationCode.GetThumb,
        OperationCode.GetPartialObject,
    }
)


@dataclass(frozen=True)
class PcConnection:
    """The rules of connect-to-PC mode; the times are seconds, and 0 switches a rule off.

    Attributes:
        hold_s, pause_s, locked_s: As those of `Habits`.
        transfers: The profile is picture transfer (`WT3T`), not camera control (`$DSC`).
    """

    hold_s: float = 3.0
    pause_s: float = 0.8
    locked_s: float = 0.0
    transfers: bool = False


def with_pc_connection(model: Model, rules: PcConnection) -> Model:
    """Return a body that asks its owner about computers, with these rules."""
    operations = dict(model.operations)
    operations[NikonOperation.GetPairingInfo] = _answer_number
    operations[NikonOperation.ConfirmPairing] = _answer_confirm
    reported = model.reported
    if rules.transfers and reported is not None:
        operations[NikonOperation.AdvancedTransfer] = _answer_next_job
        listed = {*reported.operations, NikonOperation.AdvancedTransfer}
        reported = replace(reported, operations=tuple(sorted(listed)))
    manners = Manners(
        admit=_admit,
        opened=_opened,
        closed=_closed,
        guard=partial(_guard, rules),
        device_info=_device_info,
    )
    habits = replace(
        model.habits, hold_s=rules.hold_s, pause_s=rules.pause_s, locked_s=rules.locked_s
    )
    changed = replace(
        model, operations=operations, reported=reported, manners=manners, habits=habits
    )
    if not model.guid_head:
        return changed
    product = int.from_bytes(model.guid_head[2:4], "big")
    return replace(changed, announces=announcing(product, transfers=rules.transfers))


def card_guard(camera: Responder, request: OperationRequest) -> Reply | None:
    """Hide the card while the application mode is on, as all bodies with such a mode do."""
    _report_card(camera)
    if not camera.state.get("hidden"):
        return None
    if request.code in _LISTS:
        return Reply(data=encode_array([]))
    return Reply(ResponseCode.StoreNotAvailable) if request.code in _OF_CARD else None


def answer_application_mode(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Switch the application mode by operation (second generation on)."""
    mode = parameter(request, 0)
    if mode not in (0, 1):
        return Reply(ResponseCode.InvalidParameter)
    camera.state["application mode"] = mode
    _report_card(camera)
    return Reply()


def _report_card(camera: Responder) -> None:
    """Queue the events of a card that is hidden or comes back."""
    by_property = camera.properties.get(NikonProperty.ApplicationMode)
    on = camera.state.get("application mode") or (by_property is not None and by_property.current)
    if bool(on) != bool(camera.state.get("hidden")):
        camera.state["hidden"] = bool(on)
        for storage_id in camera.storage_ids():
            camera.push_event(EventCode.StoreRemoved if on else EventCode.StoreAdded, storage_id)


def _admit(camera: Responder, guid: bytes, name: str) -> int | Later | None:
    state = camera.approval.state(guid, name)
    if state == "rejected":
        return FailReason.REJECTED_INITIATOR
    camera.state["computer"] = (guid, name)
    camera.state["hollow"] = state != "approved"
    return None


def _opened(camera: Responder) -> None:
    for name in ("confirmed at", "job", "application mode"):
        camera.state.pop(name, None)


def _closed(camera: Responder, orderly: bool) -> None:
    confirmed_at = camera.state.get("confirmed at")
    if confirmed_at is not None and time.monotonic() - confirmed_at < camera.habits.hold_s:
        camera.approval.forget(*camera.state["computer"])
    _opened(camera)


def _guard(rules: PcConnection, camera: Responder, request: OperationRequest) -> Reply | None:
    if camera.state.get("hollow") and request.code not in HOLLOW:
        return Reply(ResponseCode.OperationNotSupported)
    is_locked = rules.transfers and request.code in _LOCKED
    if is_locked and parameter(request, 0) != camera.state.get("job"):
        return Reply(ResponseCode.AccessDenied)
    return card_guard(camera, request)


def _device_info(camera: Responder, info: DeviceInfo) -> DeviceInfo:
    return replace(info, operations_supported=list(HOLLOW)) if camera.state.get("hollow") else info


def _answer_number(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Show a number of four digits, and send it with one digit in each byte."""
    guid, _ = camera.state["computer"]
    digits = [byte % 10 for byte in hashlib.sha256(guid).digest()[:4]]
    camera.approval.ask(*camera.state["computer"])
    return Reply(data=len(digits).to_bytes(4, "little") + bytes(digits))


def _answer_confirm(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    if parameter(request, 0) != SUCCEEDED:
        return Reply(ResponseCode.InvalidParameter)
    camera.approval.ask(*camera.state["computer"])
    state = camera.approval.state(*camera.state["computer"])
    if state == "rejected":
        return Reply(ResponseCode.AccessDenied)
    if state != "approved":
        return Reply(ResponseCode.DeviceBusy)
    camera.state.setdefault("confirmed at", time.monotonic())
    return Reply(data=b"")


def _answer_next_job(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Name the next object that the owner sends; the one before is done."""
    before = camera.state.pop("job", None)
    if before is not None and parameter(request, 0) == SUCCEEDED:
        camera.marked.pop(before, None)
    waiting = [handle for handle in camera.marked if camera.object_size(handle) is not None]
    if not waiting:
        return Reply(ResponseCode.GeneralError)
    camera.state["job"] = waiting[0]
    builder = Builder()
    builder.u32(waiting[0])
    builder.string(_path(camera, waiting[0]))
    return Reply(data=bytes(builder) + bytes(4))  # more may follow


def _path(camera: Responder, handle: int) -> str:
    names: list[str] = []
    while (info := camera.object_info(handle)) is not None:
        names.insert(0, info.filename)
        handle = info.parent_object
    return "/".join(names)
