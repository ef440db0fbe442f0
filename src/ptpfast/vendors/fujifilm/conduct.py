"""A session as a simulated body sees it: its functions in their order, and its properties.

Facts: vcam (src/fuji/fuji.c), fudge (lib/fuji.c, logs of an X-T2 and X-T4), malc0mn/ptp-ip (a mock
of an X-T1). What a body answers in a wrong order is known in part only: it then refuses, or is
silent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ...engine.wire import Builder, Cursor, OperationRequest
from ...ptp.codes import ALL_STORAGES, EventCode, OperationCode, ResponseCode
from ...ptp.datasets import DevicePropDesc, read_value, write_value
from ...ptp.errors import ProtocolError
from ..body import CrashError, Later, Reply, Responder, parameter
from .codes import CameraState, ClientState, FujifilmEvent
from .codes import FujifilmProperty as Property
from .datasets import pack_descriptions, pack_news

SILENCE = Reply(0)
_FILES = (
    OperationCode.GetObjectInfo,
    OperationCode.GetObject,
    OperationCode.GetThumb,
    OperationCode.GetPartialObject,
)
_BEFORE_THE_FUNCTION = (
    OperationCode.GetDeviceInfo,
    OperationCode.GetDevicePropValue,
    OperationCode.SetDevicePropValue,
)
# Told with the pictures (log of an X-T2); what these two mean is not known.
_UNKNOWN_D52F, _UNKNOWN_D400 = 0xD52F, 0xD400


@dataclass
class Session:
    """The state of a session.

    Attributes:
        offers: The camera state.
        client: The client state; None until it is written.
        spoiled: A version was written before the client state.
        remote: Remote control is on, between InitiateOpenCapture and TerminateOpenCapture.
        pictures: The pictures are shown.
        full_size: EnableCorrectFileSize.
        news: What the next poll tells.
        told: The number of pictures that was told last.
        described: The handles that GetObjectInfo was asked for.
        preview: Of the last picture, until it is read.
        action: What the next InitiateCapture does; None until it is set.
        releasing: A picture that the client has asked for is being taken.
        chosen: The handles of a multiple transfer that are left.
    """

    offers: int = CameraState.REMOTE
    client: int | None = None
    spoiled: bool = False
    remote: bool = False
    pictures: bool = False
    full_size: bool = False
    news: dict[int, int] = field(default_factory=dict)
    told: int = -1
    described: set[int] = field(default_factory=set)
    preview: bytes | None = None
    action: int | None = None
    releasing: bool = False
    chosen: list[int] = field(default_factory=list)


def session_of(camera: Responder) -> Session:
    session: Session = camera.state.setdefault("session", Session())
    return session


def offer(camera: Responder, state: int, *, switches_off: bool = False) -> None:
    """Have the next sessions begin with this camera state: its owner has chosen it in the menu.

    With `switches_off` it is gone after the last picture that was chosen, as real bodies are.
    """
    camera.state["offers"], camera.state["switches off"] = state, switches_off


def ask_late(camera: Responder) -> None:
    """Have the body ask its owner about a new computer when that writes the client state, and not
    before it tells the camera state: it answers once the owner has decided (fudge)."""
    camera.state["asks late"] = True


def _count(camera: Responder) -> int:
    return max(camera.handles(ALL_STORAGES), default=0)


# The manners


def admit(camera: Responder, guid: bytes, name: str) -> int | None:
    rejected = camera.approval.state(guid, name) == "rejected"
    return ResponseCode.DeviceBusy if rejected else None


def opened(camera: Responder) -> None:
    unknown = camera.approval.state(*camera.initiator) == "unknown"
    if unknown and not camera.state.get("asks late"):
        camera.approval.ask(*camera.initiator)
    session = Session(camera.state.get("offers", CameraState.REMOTE))
    session.chosen = camera.handles(ALL_STORAGES)
    camera.state["session"] = session
    tell_pictures(camera, session)


def closed(camera: Responder, orderly: bool) -> None:
    camera.open_ports(opened=False)


def tell_pictures(camera: Responder, session: Session) -> None:
    """Tell what a body tells first (log of an X-T2)."""
    session.news[Property.CameraState] = session.offers
    if session.offers in (CameraState.MULTIPLE_TRANSFER, CameraState.REMOTE):
        session.news[Property.SelectedImagesMode] = 1
    if session.offers == CameraState.MULTIPLE_TRANSFER:
        return
    session.told = session.news[Property.ObjectCount] = _count(camera)
    if session.offers == CameraState.REMOTE:
        session.news |= {_UNKNOWN_D52F: 1, _UNKNOWN_D400: 1, Property.ObjectCount2: session.told}


def _is_done(camera: Responder, session: Session) -> bool:
    chosen = session.offers == CameraState.MULTIPLE_TRANSFER and not session.chosen
    return chosen and bool(camera.state.get("switches off"))


def guard(camera: Responder, request: OperationRequest) -> Reply | None:
    session, code = session_of(camera), request.code
    if _is_done(camera, session):
        camera.switch_off()
        raise CrashError("the last of the chosen pictures was sent")
    if session.client is None and code not in _BEFORE_THE_FUNCTION:
        return Reply(ResponseCode.AccessDenied)
    if code not in _FILES:
        return None
    if session.spoiled:
        return SILENCE
    if not session.pictures:
        return Reply(ResponseCode.InvalidObjectHandle)
    return None


def report(
    camera: Responder, code: int, parameters: tuple[int, ...]
) -> list[tuple[int, tuple[int, ...]]]:
    """Return what the Event connection sends: a new picture has no handle there, and
    CaptureComplete waits until the preview was read (malc0mn)."""
    session = session_of(camera)
    if code == EventCode.ObjectAdded:
        events: list[tuple[int, tuple[int, ...]]] = [(FujifilmEvent.ObjectAdded, (0,))]
        if session.releasing and session.preview is None:
            session.preview = camera.frame()
            events.append((FujifilmEvent.PreviewAvailable, (len(session.preview),)))
        return events
    if code == EventCode.CaptureComplete and session.preview is not None:
        return []
    return [(code, parameters)]


# Properties


def get_value(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Answer with the value; with nothing for a property that is absent (vcam)."""
    session, code = session_of(camera), parameter(request, 0)
    if code == Property.News:
        return Reply(data=pack_news(_take_news(camera, session)))
    versions: dict[int, int] = camera.state["versions"]
    numbers = {
        Property.ObjectCount: (_count(camera), 4),
        Property.ObjectCount2: (_count(camera), 4),
        Property.CameraState: (session.offers, 2),
        Property.ClientState: (session.client or 0, 2),
        Property.StorageID: (0, 1),
        **{each: (value, 4) for each, value in versions.items()},
    }
    if session.offers == CameraState.AUTO_SAVE:
        numbers[Property.AutoSaveVersion] = (1, 4)
    if code in numbers:
        value, size = numbers[code]
        return Reply(data=value.to_bytes(size, "little"))
    desc = camera.properties.get(code)
    builder = Builder()
    if desc is not None and code != Property.CompressionCutOff:
        write_value(builder, desc.data_type, desc.current)
    return Reply(data=bytes(builder))


def _take_news(camera: Responder, session: Session) -> list[tuple[int, int]]:
    is_early = not camera.state.get("asks late")
    if is_early and camera.approval.state(*camera.initiator) != "approved":
        return [(Property.CameraState, CameraState.WAITING)]
    count = _count(camera)
    if session.told not in (-1, count):
        session.told = session.news[Property.ObjectCount] = count
    news, session.news = session.news, {}
    return list(news.items())


def set_value(camera: Responder, request: OperationRequest, data: bytes) -> Reply | Later:
    session, code = session_of(camera), parameter(request, 0)
    value = int.from_bytes(data, "little")
    if code in camera.state["versions"] or code == Property.AutoSaveVersion:
        return _set_version(session, code)
    match code:
        case Property.ClientState:
            return _set_client(camera, session, value)
        case Property.CameraState:
            session.news[Property.CameraState] = value
            tell_pictures(camera, session)
            return Reply()
        case Property.EnableCorrectFileSize:
            session.full_size = bool(value)
            return Reply()
    desc = camera.properties.get(code)
    if desc is None or not desc.writable:
        return Reply(ResponseCode.DevicePropNotSupported)
    return _set_property(session, desc, data)


def _set_version(session: Session, code: int) -> Reply:
    """Take the version of a function. Written first, it spoils the session (fudge)."""
    if session.client is None:
        session.spoiled = True
    elif session.offers in (CameraState.FULL_ACCESS, CameraState.AUTO_SAVE):
        session.pictures = True
    return Reply()


def _set_client(camera: Responder, session: Session, value: int) -> Reply | Later:
    decision = camera.approval.state(*camera.initiator)
    if decision == "unknown" and camera.state.get("asks late"):
        camera.approval.ask(*camera.initiator)
        return Later.LATER
    if decision != "approved":
        return Reply(ResponseCode.AccessDenied)
    viewer = value == ClientState.VIEWER
    if viewer and (session.remote or session.offers != CameraState.REMOTE):
        return Reply(ResponseCode.AccessDenied)  # remote control has to be ended first
    if value not in (session.offers, ClientState.REMOTE, ClientState.VIEWER):
        return Reply(ResponseCode.InvalidDevicePropValue)
    session.client = value
    session.pictures = viewer or session.offers == CameraState.MULTIPLE_TRANSFER
    if viewer:
        tell_pictures(camera, session)
    return Reply()


def _set_property(session: Session, desc: DevicePropDesc, data: bytes) -> Reply:
    try:
        value: Any = read_value(Cursor(data), desc.data_type)
    except ProtocolError:
        return Reply(ResponseCode.InvalidDevicePropFormat)
    if isinstance(desc.form, list) and value not in desc.form:
        return Reply(ResponseCode.InvalidDevicePropValue)
    desc.current = value
    if desc.code == Property.ReleaseAction:
        session.action = value
    if isinstance(value, int):
        session.news[desc.code] = value & 0xFFFFFFFF
    return Reply()


def get_descriptions(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    told = [
        camera.properties[code]
        for code in camera.state["remote properties"]
        if code in camera.properties
    ]
    return Reply(data=pack_descriptions(told))
