"""Sony bodies for the simulated camera: what each lists, and what it answers in which mode.

The simulated body is in the menu that a session asks for: SDIOConnect makes it PC remote, the first
SetSendStatus "Send to Computer". A real one is in the menu that its owner has chosen.

Sources: Sony's Camera Control PTP 3 Reference; alpha-fairy, airmtp and libgphoto2 for what bodies
refuse, and how.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...engine.wire import OperationRequest
from ...ptp.codes import ALL_STORAGES, EventCode, FailReason, OperationCode, ResponseCode
from ...ptp.datasets import DevicePropDesc
from ..body import (
    SILENCE,
    CardFiles,
    Habits,
    Later,
    Manners,
    Model,
    Reply,
    Reported,
    Responder,
    ResponderOperation,
    parameter,
)
from . import card, shooting
from .announcement import announces
from .codes import EXTENDED_VERSION, RAW, RAW_AND_JPEG, Mode, SonyEvent, SonyOperation
from .reported import A7M4, A7M4_PROPERTIES, A7R3, A7R3_PROPERTIES, A7SM3
from .simulated import AUTHENTICATED, REFUSED, Profile, Sitting, begin, sony

SONY_EXTENSION = 0x11
ARW = 0xB101
_LISTING = frozenset(
    {
        OperationCode.GetStorageInfo,
        OperationCode.GetNumObjects,
        OperationCode.GetObjectHandles,
        OperationCode.GetObjectPropList,
    }
)
_OF_OBJECTS = frozenset(
    {
        OperationCode.GetThumb,
        OperationCode.GetPartialObject,
        OperationCode.GetObjectPropValue,
        SonyOperation.GetPartialLargeObject,
    }
)
_BEFORE_AUTHENTICATION = frozenset(
    {
        SonyOperation.SDIOConnect,
        SonyOperation.GetExtDeviceInfo,
        SonyOperation.SDIOOpenSession,
        SonyOperation.GetDescriptionFile,
        SonyOperation.SetSendStatus,
        SonyOperation.GetSendStatus,
    }
)
_REMOTE_ONLY = frozenset({SonyOperation.SetExtDevicePropValue, SonyOperation.ControlDevice})
_NO_STORE = Reply(ResponseCode.StoreNotAvailable)


def _opened(profile: Profile, camera: Responder) -> None:
    """Begin a session: the mode is fixed for as long as it lasts."""
    body = begin(camera, profile)
    code, mode = camera.opening.code, parameter(camera.opening, 1)
    body.sitting = Sitting(
        mode=Mode(mode) if code == SonyOperation.SDIOOpenSession and mode in (0, 1, 2) else None,
        empty_left=body.profile.empty_device_infos,
    )
    body.shot.clear()


def _closed(camera: Responder, orderly: bool) -> None:
    """End a session; without CloseSession a picture that was being read stays in the memory."""
    body = sony(camera)
    if orderly:
        body.settle(camera)
    body.given = False
    body.refuses = (
        orderly and body.profile.sleeps and body.sitting.sends and not body.sitting.told_to_sleep
    )
    body.sitting = Sitting()


def _admit(profile: Profile, camera: Responder, guid: bytes, name: str) -> int | Later | None:
    """Answer a computer at once if its owner knows it; else when the owner has decided."""
    state = camera.approval.state(guid, name)
    if begin(camera, profile).refuses:
        return Later.LATER
    if state == "unknown":
        camera.approval.ask(guid, name)
        return Later.LATER
    return FailReason.REJECTED_INITIATOR if state == "rejected" else None


def _guard(camera: Responder, request: OperationRequest) -> Reply | None:
    """Return the refusal of an operation that is out of order or of another mode."""
    if "sony" not in camera.state:
        return None  # outside of a session
    body, code = sony(camera), request.code
    body.settle(camera)
    sitting = body.sitting
    if sitting.owes_status and code != SonyOperation.GetSendStatus:
        return Reply(ResponseCode.DeviceBusy)
    is_own = 0x9200 <= code < 0x9300
    if is_own and code not in _BEFORE_AUTHENTICATION and sitting.stage < AUTHENTICATED:
        return REFUSED
    if code == SonyOperation.SetContentsTransferMode and sitting.mode != Mode.CONTENT_TRANSFER:
        return SILENCE  # it stalls
    if code in card.CONTENT_OPERATIONS and code != SonyOperation.GetDescriptionFile:
        if sitting.mode != Mode.REMOTE_WITH_TRANSFER:
            return REFUSED
    elif code in _REMOTE_ONLY and sitting.mode == Mode.CONTENT_TRANSFER:
        return REFUSED
    return _without_card(camera, request)


def _without_card(camera: Responder, request: OperationRequest) -> Reply | None:
    """Return the refusal of the standard's operations while the cards are not shown."""
    body, code = sony(camera), request.code
    shows = body.sitting.shows_card
    if not shows and code in _LISTING:
        return _NO_STORE if body.sitting.mode == Mode.CONTENT_TRANSFER else _empty(code)
    if not shows and code in _OF_OBJECTS:
        return Reply(ResponseCode.InvalidObjectHandle)
    if shows and camera.marked and (answer := card.chosen(camera, request)) is not None:
        return answer
    lists = code in (OperationCode.GetNumObjects, OperationCode.GetObjectHandles)
    if lists and parameter(request, 0, ALL_STORAGES) == ALL_STORAGES:
        hangs = body.profile.hangs_at_all_storages
        return SILENCE if hangs else Reply(ResponseCode.InvalidStorageID)
    return None


def _empty(code: int) -> Reply | None:
    """Answer a listing as a body under remote control does: its card has nothing (libgphoto2)."""
    if code == OperationCode.GetNumObjects:
        return Reply(parameters=(0,))
    return None if code == OperationCode.GetStorageInfo else Reply(data=bytes(4))


def _reports(
    camera: Responder, code: int, parameters: tuple[int, ...]
) -> list[tuple[int, tuple[int, ...]]]:
    """Return the events of the mode for an event of the standard."""
    body = begin(camera, Profile())
    mode = body.sitting.mode
    if mode == Mode.REMOTE and code == EventCode.ObjectAdded:
        body.shot.append(parameters[0])
        return []
    if mode == Mode.REMOTE and code in (EventCode.CaptureComplete, EventCode.StoreFull):
        return body.take(camera)
    if mode == Mode.REMOTE_WITH_TRANSFER and code in card.CHANGES:
        info = camera.object_info(parameters[0])
        slot = 1 if info is None else info.storage_id >> 16
        body.update_list(slot)
        return [(SonyEvent.ContentInfoListChanged, (slot, card.CHANGES[EventCode(code)]))]
    if mode == Mode.REMOTE_WITH_TRANSFER and code == EventCode.CaptureComplete:
        return [(SonyEvent.Captured, ())]
    return [(code, parameters)]


def _manners(profile: Profile) -> Manners:
    return Manners(
        admit=lambda camera, guid, name: _admit(replace(profile), camera, guid, name),
        opened=lambda camera: _opened(replace(profile), camera),
        closed=_closed,
        guard=_guard,
        openings=frozenset({SonyOperation.SDIOOpenSession}),
        report=_reports,
        to_memory=lambda camera: shooting.to_memory(camera) if "sony" in camera.state else False,
    )


# CompressionSetting: JPEG, RAW, and RAW with JPEG (libgphoto2 config.c).
_RAW, _JPEG, _BOTH = (True, False), (False, True), (True, True)
_QUALITIES: Mapping[int, tuple[bool, bool]] = {
    **dict.fromkeys((1, 2, 3, 4), _JPEG),
    RAW: _RAW,
    **dict.fromkeys(RAW_AND_JPEG, _BOTH),
}


def _body(
    name: str,
    version: str,
    reported: Reported,
    properties: tuple[DevicePropDesc, ...],
    qualities: tuple[int, ...],
    setting: int,
    profile: Profile,
) -> Model:
    operations: dict[int, ResponderOperation] = {}
    operations.update(card.OPERATIONS)
    operations.update(shooting.OPERATIONS)
    return Model(
        manufacturer="Sony Corporation",
        name=name,
        device_version=version,
        vendor_extension_id=SONY_EXTENSION,
        files=CardFiles("100MSDCF", "DSC0", "ARW", ARW),
        operations={
            code: answer for code, answer in operations.items() if code in reported.operations
        },
        reported=reported,
        # Ids that do not rise are accepted (airmtp begins with 1 at OpenSession).
        habits=Habits(strict_tid=False),
        serial_digits=32,  # zeros in front (libgphoto2)
        compression={code: _QUALITIES[code] for code in qualities},
        compression_setting=setting,
        properties=properties,
        manners=_manners(profile),
        announces=announces,
    )


_OF_A7M4 = (16, 20, 19, 18, 17, 4, 3, 2, 1)
BODIES = {
    "sony-a7m4": _body(
        *("ILCE-7M4", "1.00", A7M4, A7M4_PROPERTIES, _OF_A7M4, 20),
        Profile(vendor_code_version=EXTENDED_VERSION),  # as its content lists need. Inferred.
    ),
    # Its report has no values of properties: those of the ILCE-7M4.
    "sony-a7sm3": _body("ILCE-7SM3", "3.00", A7SM3, A7M4_PROPERTIES, _OF_A7M4, 20, Profile()),
    "sony-a7r3": _body(
        "ILCE-7RM3",
        "1.0",
        A7R3,
        A7R3_PROPERTIES,
        (2, 3, 4, 16, 19, 20, 18),
        3,
        Profile(hangs_at_all_storages=True),
    ),
}
MODEL = BODIES["sony-a7m4"]
