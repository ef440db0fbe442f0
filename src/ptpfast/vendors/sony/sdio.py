"""The dialect of a session that authenticates itself: SDIO, in each of its function modes.

Sources: Sony's Camera Control PTP 3 Reference for the order; libgphoto2 (ptp.c, library.c) for the
number of tries and for host priority.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, ClassVar, TypeVar

from ...engine.wire import Builder
from ...ptp.codes import EventCode, OperationCode, ResponseCode
from ...ptp.datasets import DevicePropDesc, write_value
from ...ptp.errors import DeviceBusy, PTPError, ResponseError, Unsupported, response_error
from ..dialect import Dialect, PolledEvent
from .codes import (
    EXTENDED,
    EXTENDED_VERSION,
    LEAST_EXTENDED,
    VERSION,
    Mode,
    SonyEvent,
    SonyOperation,
    SonyProperty,
    SonyResponse,
)
from .datasets import ExtDeviceInfo, Property, parse_ext_device_info, parse_properties

log: logging.Logger = logging.getLogger("ptpfast")

T = TypeVar("T")

MAX_PROPERTIES = 4 << 20  # bytes of the property list; a body has some ten thousand
MAX_DEVICE_INFO = 1 << 20
# GetExtDeviceInfo has no data while the body prepares itself (reference; libgphoto2: 20 tries).
PREPARE_TRIES, PREPARE_PAUSE_S = 20, 0.2
ONLY_REMOTE = "this session reads the card; connect with the role remote"
_REFUSED_HINT = (
    "switch access authentication off in the camera's network menu, or update its firmware: it "
    "does not accept this version of the protocol"
)


class SdioDialect(Dialect):
    """Authentication, properties, and events that are translated to the standard's.

    Attributes:
        mode: The function mode that the session is opened in.
        now: The properties by code, as last reported.
    """

    mode: ClassVar[Mode] = Mode.REMOTE
    takes_priority: ClassVar[bool] = True

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.now: dict[int, Property] = {}
        self._controls: frozenset[int] = frozenset()
        self._is_extended = False  # has extended codes, and was asked for them

    def opening(self, session_id: int) -> tuple[int, tuple[int, ...]]:
        """Return SDIOOpenSession for the modes that exist only there."""
        if self.mode == Mode.REMOTE:
            return super().opening(session_id)
        return SonyOperation.SDIOOpenSession, (session_id, self.mode)

    def begin(self) -> None:
        """Authenticate, take priority over the camera's dials, and read the property list."""
        try:
            self._authenticate()
        except ResponseError as error:
            if error.code == SonyResponse.AuthenticationFailed:
                error.message = "the camera refuses the authentication of this computer"
                error.hint = _REFUSED_HINT
            raise
        if self.takes_priority:
            self._take_priority()
        self.look()

    def _authenticate(self) -> None:
        connect = SonyOperation.SDIOConnect
        self.link.fetch(connect, 1, 0, 0, limit=MAX_DEVICE_INFO)
        self.link.fetch(connect, 2, 0, 0, limit=MAX_DEVICE_INFO)
        info = parse_ext_device_info(self._ext_device_info())
        extended = self._extended_device_info()
        self._is_extended = extended is not None
        info = extended or info
        if info.version != VERSION:
            log.info("the camera speaks version %d, not %d", info.version, VERSION)
        self._controls = frozenset(info.controls)
        self.link.fetch(connect, 3, 0, 0, limit=MAX_DEVICE_INFO)

    def _ext_device_info(self) -> bytearray:
        operation = SonyOperation.GetExtDeviceInfo
        for _ in range(PREPARE_TRIES):
            payload = self.link.fetch(operation, VERSION, limit=MAX_DEVICE_INFO)
            if payload:
                return payload
            self.link.pause(PREPARE_PAUSE_S)
        raise DeviceBusy(ResponseCode.DeviceBusy, operation, doing="GetExtDeviceInfo")

    def _extended_device_info(self) -> ExtDeviceInfo | None:
        """Ask for the extended codes too; None if the body has none."""
        operation = SonyOperation.GetExtDeviceInfo
        if not self.link.supports(SonyOperation.GetVendorCodeVersion):
            return None
        try:
            (version, *_) = (*self.link.command(operation, VERSION).parameters, 0)
            if version < EXTENDED_VERSION:
                return None
            payload = self.link.fetch(operation, VERSION, EXTENDED, limit=MAX_DEVICE_INFO)
        except ResponseError as error:
            log.debug("the camera has no extended codes: %s", error)
            return None
        return parse_ext_device_info(payload) if payload else None

    def _take_priority(self) -> None:
        """Let the computer's settings win over the camera's dials. A refusal is no error."""
        try:
            self.link.command(
                SonyOperation.SetExtDevicePropValue, SonyProperty.HostPriority, data=b"\1"
            )
        except ResponseError as error:
            log.debug("the camera keeps the priority: %s", error)

    # Properties

    def look(self, *, changes: bool = False) -> dict[int, Property]:
        """Read the properties; with `changes` those that changed since. Return what was read."""
        parameters: tuple[int, ...] = (1, 0) if changes else ()
        if self._is_extended:
            parameters = (int(changes), EXTENDED)
        operation = SonyOperation.GetAllExtDevicePropInfo
        found = parse_properties(self.link.fetch(operation, *parameters, limit=MAX_PROPERTIES))
        self.now = {**self.now, **found} if changes else found
        return found

    def value(self, code: int, missing: Any = None) -> Any:
        """Return the last reported value of a property."""
        known = self.now.get(code)
        return missing if known is None else known.current

    def number(self, code: int, missing: T) -> int | T:
        """Return the last reported value of a property; `missing` if that is no number."""
        value = self.value(code)
        return value if isinstance(value, int) else missing

    def properties(self) -> list[int]:
        """Return the codes of the described properties, without the controls."""
        return [code for code in self.now if code not in self._controls]

    def property_desc(self, code: int) -> DevicePropDesc | None:
        """Describe a property from the property list, read again."""
        found = self.look().get(code)
        if found is None:
            raise response_error(
                ResponseCode.DevicePropNotSupported,
                SonyOperation.GetAllExtDevicePropInfo,
                doing=f"property 0x{code:04X}",
            )
        return found.desc

    def set_property(self, desc: DevicePropDesc, value: Any) -> bool:
        """Set a property, or use a control."""
        builder = Builder()
        write_value(builder, desc.data_type, value)
        is_control = desc.code in self._controls
        operation = SonyOperation.ControlDevice if is_control else _SET
        is_extended = desc.code >= LEAST_EXTENDED
        parameters = (desc.code, EXTENDED) if is_extended else (desc.code,)
        self.link.command(operation, *parameters, data=bytes(builder))
        return True

    def release(self) -> None:
        """Raise Unsupported: only remote control takes pictures."""
        raise Unsupported(ONLY_REMOTE)

    def live_view(self) -> Iterator[bytes]:
        """Raise Unsupported: only remote control has live view."""
        raise Unsupported(ONLY_REMOTE)

    # Events

    @property
    def polls(self) -> bool:
        """True: bodies drop events, and DevicePropChanged does not name the property."""
        return True

    def poll(self) -> list[PolledEvent]:
        """Report the properties that have changed."""
        before = {code: each.current for code, each in self.now.items()}
        return [
            (EventCode.DevicePropChanged, (code,))
            for code, each in self.look(changes=True).items()
            if code not in before or before[code] != each.current
        ]

    def meaning(self, code: int, parameters: tuple[int, ...]) -> list[PolledEvent]:
        """Translate Sony's events. DevicePropChanged is left out: `poll` knows which changed."""
        if code == SonyEvent.DevicePropChanged:
            return []
        if code == SonyEvent.Captured:
            return [(EventCode.CaptureComplete, ())]
        return [(code, parameters)]

    def keep_awake(self) -> None:
        """Ask for DeviceInfo: probes do not keep a session alive (airmtp)."""
        self.link.fetch(OperationCode.GetDeviceInfo, limit=MAX_DEVICE_INFO)


_SET = SonyOperation.SetExtDevicePropValue


def no_such_object(handle: int) -> PTPError:
    """Return the error for a handle that stands for no object of the camera."""
    return response_error(
        ResponseCode.InvalidObjectHandle,
        OperationCode.GetObjectInfo,
        doing=f"object 0x{handle:X}",
    )
