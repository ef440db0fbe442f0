"""Remote control of an EOS body: prepare it, take pictures, live view, and leave it as it was.

Sources: libgphoto2 (config.c for the order of preparing and leaving, library.c for captures and
frames) and indigo; each fact names its own.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from ...ptp.codes import OperationCode
from ...ptp.datasets import DeviceInfo, decode_array
from ...ptp.errors import DeviceBusy, ProtocolError, PTPError, ResponseError, Unsupported
from ..leaving import leaving
from .codes import (
    BOTH,
    EOS_MODE,
    FRAME_SIZE,
    FULL,
    HALF,
    HOST_ROOM,
    M_MODE,
    OLC_GROUPS,
    SX_MODE,
    TO_DISPLAY,
    TO_HOST,
    TO_MOBILE_2,
    TO_PC,
    CanonOperation,
    CanonProperty,
    CanonResponse,
)
from .datasets import ExtendedInfo, parse_extended_info, parse_frame
from .watching import Watching

log: logging.Logger = logging.getLogger("ptpfast")

POLL_S = 0.05  # between two looks at the events, while something is waited for (libgphoto2)
PREPARED_S = 0.5  # for the first properties (libgphoto2: ten looks)
ROOM_S = 5.0  # an EOS 1200D takes a while until it counts this computer's room (libgphoto2)
HALF_S = 0.5  # between half and full press, for the focus (libgphoto2)
BUTTON_S = 2.0  # for the result of a full press on EOS M bodies (libgphoto2)
PRESSED = 4  # the button value after a successful one
IDLE_S = 10.0  # for the end of the capture before
FRAME_S = 3.0  # for a frame (libgphoto2)
FRAME_STEP_S = 0.005  # the pauses between two tries grow by it
M_PAUSE_S = 1.0  # once an EOS M shows live view (libgphoto2)
LARGEST_LIST = 1 << 20
LARGEST_FRAME = 64 << 20

# Results of RemoteRelease (libgphoto2).
_RESULTS = {
    1: ("it could not focus", "focus by hand, or aim at something with more contrast"),
    3: ("its mirror is up", "leave mirror lockup on the camera"),
    7: ("the card is full", "change the card"),
    8: ("the card is write-protected", "unlock the card"),
}
# PowerShots that speak as EOS bodies, in another mode than the other ones (libgphoto2).
_SX = tuple(f"Canon PowerShot {name}" for name in ("SX540 HS", "SX600 HS", "SX720 HS", "G5 X"))
# EOS M bodies that need no live view before a capture (libgphoto2 config.c).
_LATER_M = ("Canon EOS M6 Mark II", "Canon EOS M50 Mark II", "Canon EOS M50m2")
_M6_MARK_II = "Canon EOS M6 Mark II"
_M2 = "Canon EOS M2"
# GetDeviceInfoEx sends its data and never a response (libgphoto2 ptp.h and issue 1028).
_HANGS = "Canon EOS R5m2", ("1.0.0", "1.0.1")


def is_m(info: DeviceInfo) -> bool:
    """Return whether a body is an EOS M, or a PowerShot that behaves like one."""
    return info.model.startswith(("Canon EOS M", "Canon PowerShot"))


def mode_of(info: DeviceInfo) -> int:
    """Return the parameter of SetRemoteMode for a body (libgphoto2 config.c)."""
    if info.model in _SX:
        return SX_MODE
    return M_MODE if is_m(info) and info.model != _M6_MARK_II else EOS_MODE


def hangs_at_device_info_ex(info: DeviceInfo) -> bool:
    """Return whether GetDeviceInfoEx must not be sent to a body; `3-1.0.0` has firmware 1.0.0."""
    model, versions = _HANGS
    return info.model == model and info.device_version.rpartition("-")[2] in versions


class Remote:
    """Remote control in one session.

    Attributes:
        extended: The body's own lists of codes.
    """

    def __init__(self, body: Watching) -> None:
        self._body = body
        self._was_destination: int | None = None  # to be set again at the end
        self._shows = False
        self._hidden = 0  # outputs that could not stay beside this computer's
        self.extended: ExtendedInfo = ExtendedInfo()

    # Prepare and leave

    def prepare(self) -> None:
        """Bring the body into the mode for remote control (libgphoto2 config.c).

        Raises:
            Unsupported: the body lists no remote control.
            ResponseError: it refuses.
        """
        body, link = self._body, self._body.link
        if not link.supports(CanonOperation.SetRemoteMode):
            raise Unsupported(
                "this camera offers no remote control in this mode",
                hint="choose 'EOS Utility' or 'Remote control' in the camera's Wi-Fi menu",
            )
        self._was_destination, self._shows, self._hidden = None, False, 0
        link.command(CanonOperation.SetRemoteMode, mode_of(body.info))
        link.command(CanonOperation.SetEventMode, 1)
        body.try_command(CanonOperation.SetRequestOLCInfoGroup, OLC_GROUPS)
        body.settle()
        for code in (
            CanonProperty.Owner,
            CanonProperty.Artist,
            CanonProperty.Copyright,
            CanonProperty.SerialNumber,
        ):
            body.try_command(CanonOperation.RequestDevicePropValue, code)
        self._ask_extended_info()
        self._settle_until(lambda: CanonProperty.EVFOutputDevice in body.news.properties)
        self._choose_destination()
        body.info = link.refresh()
        self._ask_storages()
        body.settle()
        if is_m(body.info) and body.info.model not in _LATER_M:
            body.try_command(CanonOperation.SetEventMode, 2)
            self._try_change(CanonProperty.EVFOutputDevice, TO_MOBILE_2)
            link.pause(M_PAUSE_S)
            body.settle()

    def _ask_extended_info(self) -> None:
        link, operation = self._body.link, CanonOperation.GetDeviceInfoEx
        if link.supports(operation) and not hangs_at_device_info_ex(self._body.info):
            with suppress(ResponseError, ProtocolError):
                self.extended = parse_extended_info(link.fetch(operation, limit=LARGEST_LIST))

    def _ask_storages(self) -> None:
        """Ask for the storages in the body's own way, as clients do before a capture."""
        link = self._body.link
        if not link.supports(CanonOperation.GetStorageIDsEx):
            return
        with suppress(ResponseError, ProtocolError):
            answer = link.fetch(CanonOperation.GetStorageIDsEx, limit=LARGEST_LIST)
            for storage_id in decode_array(answer)[:8]:
                link.fetch(CanonOperation.GetStorageInfoEx, storage_id, limit=LARGEST_LIST)

    def _settle_until(self, is_there: Callable[[], bool]) -> None:
        give_up = time.monotonic() + PREPARED_S
        self._body.settle()
        while not is_there() and time.monotonic() < give_up:
            self._body.link.pause(POLL_S)
            self._body.settle()

    def _choose_destination(self) -> None:
        """Let pictures go where the body sends them; without a card, to this computer.

        A picture on the card is safe if the connection ends. Recent R bodies begin with their
        memory (indigo), and are told that this computer has room.
        """
        now = self._body.news.destination
        if now is None:
            return
        if now & TO_HOST:
            self._announce_room()
        elif not self._has_card():
            self.send_pictures_to(TO_HOST)

    def _has_card(self) -> bool:
        answer = self._body.link.fetch(OperationCode.GetStorageIDs, limit=LARGEST_LIST)
        return any(storage_id & 0xFFFF for storage_id in decode_array(answer))

    def send_pictures_to(self, destination: int) -> None:
        """Set CaptureDestination, if it differs: an equal value is answered with DeviceBusy."""
        now = self._body.news.destination
        if destination == now:
            return
        self._body.change(CanonProperty.CaptureDestination, destination)
        if self._was_destination is None:
            self._was_destination = now
        if destination & TO_HOST:
            self._announce_room()

    def _announce_room(self) -> None:
        """Tell the body that this computer has room for pictures; it refuses to take them else."""
        body = self._body
        body.try_command(CanonOperation.PCHDDCapacity, *HOST_ROOM)
        give_up = time.monotonic() + ROOM_S
        body.settle()
        while body.news.properties.number(CanonProperty.AvailableShots, 1) <= 0:
            if time.monotonic() > give_up:
                log.warning("the camera has no room for a picture")
                return
            body.link.pause(POLL_S)
            body.settle()

    def leave(self) -> None:
        """Give the body back to its owner (libgphoto2 config.c and library.c)."""
        body = self._body
        if self._shows:
            with suppress(ResponseError):
                self._stop_showing()
        body.try_command(CanonOperation.AfCancel)
        if is_m(body.info):
            self._try_change(CanonProperty.EVFOutputDevice, 0)
        if self._was_destination is not None:
            self._try_change(CanonProperty.CaptureDestination, self._was_destination)
        with suppress(ResponseError):
            body.look()
        body.try_command(CanonOperation.SetRemoteMode, 0)
        body.try_command(CanonOperation.SetRemoteMode, 1)  # the display comes back
        body.try_command(CanonOperation.SetEventMode, 0)
        body.try_command(CanonOperation.SetRemoteMode, 1)
        body.try_command(CanonOperation.SetModeDialDisable, 0)

    def _try_change(self, code: int, value: int) -> None:
        try:
            self._body.change(code, value)
        except ResponseError as error:
            log.debug("property 0x%X stays: %s", code, error)

    # Captures

    def release(self) -> None:
        """Press the shutter and let go of it. Raises PTPError if the body takes no picture."""
        body, link = self._body, self._body.link
        body.free_all()
        self._wait_until_idle()
        if link.supports(CanonOperation.RemoteReleaseOn):
            if is_m(body.info):
                self._press_both()
            else:
                self._press_half_and_full()
        elif link.supports(CanonOperation.RemoteRelease):
            check_result(link.command(CanonOperation.RemoteRelease).parameters)
        else:
            raise Unsupported("this camera lists no operation that takes a picture")

    def _wait_until_idle(self) -> None:
        """Take the queued events, without which a release may be refused, until it is idle."""
        body, give_up = self._body, time.monotonic() + IDLE_S
        body.look()
        while body.news.capturing and time.monotonic() < give_up:
            body.link.pause(POLL_S)
            body.look()

    def _press_half_and_full(self) -> None:
        """Press half, wait for the focus, press fully, and let go of both."""
        command = self._body.link.command
        news = self._body.news
        news.focused = False
        command(CanonOperation.RemoteReleaseOn, HALF, 0)
        with leaving(lambda: self._let_go_of(HALF)):
            self._look_for(HALF_S, lambda: news.focused)
            command(CanonOperation.RemoteReleaseOn, FULL, 0)
            command(CanonOperation.RemoteReleaseOff, FULL)

    def _press_both(self) -> None:
        """Press an EOS M's button; its value tells of the success."""
        body = self._body
        body.news.button = None
        body.link.command(CanonOperation.RemoteReleaseOn, BOTH, 0)
        with leaving(lambda: self._let_go_of(BOTH)):
            if not self._look_for(BUTTON_S, lambda: body.news.button == PRESSED):
                log.info("the camera has not confirmed the release")

    def _let_go_of(self, button: int) -> None:
        self._body.try_command(CanonOperation.RemoteReleaseOff, button)

    def _look_for(self, seconds: float, is_there: Callable[[], bool]) -> bool:
        """Take events for so many seconds at most; return whether something came."""
        give_up = time.monotonic() + seconds
        while True:
            self._body.look()
            if is_there():
                return True
            if time.monotonic() >= give_up:
                return False
            self._body.link.pause(POLL_S)

    # Live view

    def frames(self) -> Iterator[bytes]:
        """Yield live view frames until it is closed.

        Raises:
            Unsupported: the body lists no live view.
            ResponseError: no frame comes.
        """
        if not self._body.link.supports(CanonOperation.GetViewFinderData):
            raise Unsupported("this camera lists no live view")
        return self._frames()

    def _frames(self) -> Iterator[bytes]:
        self._start_showing()
        with leaving(self._stop_showing):
            frame = self._first_frame()
            while True:
                yield frame
                frame = self._frame()

    def _start_showing(self) -> None:
        """Switch live view on, for this computer too.

        On an EOS R5 over Wi-Fi the display has to show it as well (gphoto2 issue 356).
        """
        properties = self._body.news.properties
        self._shows = True
        if CanonProperty.EVFMode in properties and properties.number(CanonProperty.EVFMode) != 1:
            self._body.change(CanonProperty.EVFMode, 1)
        mirrorless = self._body.info.model.startswith("Canon EOS R")
        self._show(TO_PC | (TO_DISPLAY if mirrorless else 0))

    def _show(self, bits: int) -> bool:
        """Choose outputs among those that the body offers; return whether that changed them.

        Some offer this computer's only without the display's, and EOS M bodies not at all.
        """
        code = CanonProperty.EVFOutputDevice
        desc = self._body.news.properties.desc(code)
        now = self._body.news.properties.number(code)
        wanted = [now | bits, bits, now | TO_PC, TO_PC]
        if desc is not None and isinstance(desc.form, list):
            wanted = [value for value in wanted if value in desc.form]
        if not wanted or wanted[0] == now:
            return False
        self._body.change(code, wanted[0])
        self._hidden |= now & ~wanted[0]
        return True

    def _stop_showing(self) -> None:
        """Switch live view off for this computer, and on again where that had hidden it."""
        self._shows = False
        code = CanonProperty.EVFOutputDevice
        now = self._body.news.properties.number(code)
        hidden, self._hidden = self._hidden, 0
        if now & TO_PC:
            self._body.change(code, now & ~TO_PC | hidden)
        self._body.try_command(CanonOperation.TerminateViewfinder)

    def _first_frame(self) -> bytes:
        """Return the first frame; if none comes, let the display show live view too."""
        try:
            return self._frame()
        except DeviceBusy:
            if not self._show(TO_PC | TO_DISPLAY):
                raise
        return self._frame()

    def _frame(self) -> bytes:
        """Return the next frame; ask again while there is none, with a look at the events."""
        link, give_up, tries = self._body.link, time.monotonic() + FRAME_S, 0
        more = (0x01000000,) if self._body.info.model == _M2 else (0, 0)
        while True:
            try:
                answer = link.fetch(
                    CanonOperation.GetViewFinderData,
                    FRAME_SIZE,
                    *more,
                    limit=LARGEST_FRAME,
                    busy_s=0.0,
                )
                if (frame := parse_frame(answer)) is not None:
                    return frame
                if time.monotonic() > give_up:
                    raise DeviceBusy(
                        CanonResponse.ObjectNotReady, CanonOperation.GetViewFinderData, ()
                    )
            except DeviceBusy:
                if time.monotonic() > give_up:
                    raise
            tries += 1
            if tries == 1:
                self._body.look()
            link.pause(FRAME_STEP_S * tries)


def check_result(parameters: tuple[int, ...]) -> None:
    """Raise PTPError for a result of RemoteRelease that is not 0."""
    result = parameters[0] if parameters else 0
    if result:
        why, hint = _RESULTS.get(result, (f"result {result}", "look at the camera's display"))
        raise PTPError(f"the camera took no picture: {why}", hint=hint)
