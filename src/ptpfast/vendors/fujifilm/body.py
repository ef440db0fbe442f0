"""Fujifilm bodies for the simulated camera: strict about the order of a session."""

from __future__ import annotations

from dataclasses import replace

from ...engine.wire import OperationRequest
from ...ptp.codes import DataType, FailReason, OperationCode, ResponseCode
from ...ptp.datasets import DevicePropDesc
from ...ptp.errors import ProtocolError
from ..body import CardFiles, Containers, Habits, Manners, Model, Reply, Reported, Responder
from .announcement import announces
from .answers import OPERATIONS
from .codes import FujifilmOperation
from .codes import FujifilmProperty as Property
from .conduct import admit, closed, guard, opened, report
from .packets import PROTOCOL_VERSION, pack_event, pack_frame, pack_refusal, pack_welcome
from .packets import parse_hello as parse_any_hello
from .reported import X_T2, X_T4
from .transport import FAREWELL


def _get_device_info(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Answer with nothing, as an X-T4 does over Wi-Fi (libgphoto2); so does any body here."""
    return Reply(data=b"")


def _hello(packet: bytes) -> tuple[bytes, str]:
    hello = parse_any_hello(packet)
    if hello.number != PROTOCOL_VERSION:
        raise ProtocolError(f"another protocol version: 0x{hello.number:08X}")
    return hello.guid, hello.name


def _refusal(reason: int) -> bytes:
    return pack_refusal(ResponseCode.DeviceBusy if reason == FailReason.BUSY else reason)


CONTAINERS = Containers(
    hello=_hello,
    welcome=pack_welcome,
    refusal=_refusal,
    event=pack_event,
    frame=pack_frame,
    farewell=FAREWELL,
    data_out=frozenset({OperationCode.SetDevicePropValue}),
    version_reason=ResponseCode.InvalidParameter,
)


def _choice(code: int, data_type: int, current: int, *values: int) -> DevicePropDesc:
    return DevicePropDesc(code, data_type, True, current, current, list(values))


_BIASES = (-3000, -2667, -2333, -2000, -1667, -1333, -1000, -667, -333)
# Those that an X-T1 describes under remote control (malc0mn's mock of one), with the values that an
# X-T2 and an X-T4 have over USB (libgphoto2); D02A and D17C with the X-T1's.
_PROPERTIES = (
    _choice(0x5012, DataType.UINT16, 0, 0, 2000, 10000),
    _choice(0x500C, DataType.UINT16, 0x8009, 0x8009, 0x800A),
    _choice(0x5005, DataType.UINT16, 2, 2, 4, 6, 8, 0x8001, 0x8002, 0x8003, 0x8006),
    _choice(0x5010, DataType.INT16, 0, *_BIASES, 0, *(-value for value in reversed(_BIASES))),
    _choice(0xD001, DataType.UINT16, 1, *range(1, 16)),
    _choice(0xD02A, DataType.UINT32, 0x80003200, 0x80000190, 0x80003200, 200, 400, 800, 1600),
    _choice(0xD019, DataType.UINT16, 1, 0, 1),
    DevicePropDesc(0xD17C, DataType.UINT32, True, 0, 0x03020702, (0, 0x10090707, 1)),
)
_REMOTE_PROPERTIES = tuple(desc.code for desc in _PROPERTIES)
# Not described under remote control, and used by libgphoto2: the exposure time, who decides it,
# what a release does, whether the focus was found (2: it was), the mode of a computer.
_FURTHER = (
    DevicePropDesc(0x500D, DataType.UINT32, True, 19686, 19686),
    _choice(0xD207, DataType.UINT16, 1, 1, 2),
    _choice(0xD208, DataType.UINT16, 0x0304, 0x0104, 0x0200, 0x0004, 0x0304),
    DevicePropDesc(0xD209, DataType.UINT16, False, 2, 2, [1, 2, 3, 4]),
    DevicePropDesc(0xD38C, DataType.UINT16, True, 1, 1, (1, 40, 1)),
)


_RAF = 0xB103  # as libgphoto2 reports it; Canon has CR2 there


def _body(name: str, version: str, reported: Reported, versions: dict[int, int]) -> Model:
    def began(camera: Responder) -> None:
        camera.state["versions"] = versions
        camera.state["remote properties"] = _REMOTE_PROPERTIES
        opened(camera)

    return Model(
        manufacturer="FUJIFILM",
        name=name,
        device_version=version,
        vendor_extension_id=0x0000000E,
        # What is shown over Wi-Fi: no folders (vcam), and no RAF but to AutoSave (fudge).
        files=CardFiles(
            "100_FUJI", "DSCF", "RAF", _RAF, has_raw=False, has_folders=False, first_handle=1
        ),
        operations={**OPERATIONS, OperationCode.GetDeviceInfo: _get_device_info},
        unlisted=frozenset(FujifilmOperation),
        reported=reported,
        habits=Habits(strict_tid=False),
        compression={1: (False, True)},
        compression_setting=1,
        properties=(*_PROPERTIES, *_FURTHER),
        manners=Manners(admit=admit, opened=began, closed=closed, guard=guard, report=report),
        containers=CONTAINERS,
        announces=announces,
    )


def showing_raw(model: Model) -> Model:
    """Return a body that shows RAF files, too, as it does to PC AutoSave only (fudge)."""
    return replace(model, files=replace(model.files, has_raw=True))


# The versions of an X-T2 and an X-T4, from logs (fudge).
BODIES = {
    "fuji-xt4": _body(
        "X-T4",
        "2.01",
        X_T4,
        {
            Property.ImageGetVersion: 4,
            Property.GetObjectVersion: 5,
            Property.RemoteVersion: 0x0002000A,
            Property.RemoteGetObjectVersion: 4,
        },
    ),
    "fuji-xt2": _body(
        "X-T2",
        "1.00",
        X_T2,
        {
            Property.ImageGetVersion: 3,
            Property.GetObjectVersion: 4,
            Property.RemoteVersion: 0x00020004,
            Property.RemoteGetObjectVersion: 2,
        },
    ),
}
MODEL = BODIES["fuji-xt4"]
