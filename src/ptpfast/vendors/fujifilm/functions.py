"""The functions of a Fujifilm body: waiting for its owner, its pictures, and remote control.

A body offers one of them (its camera state), and a client says which it takes (the client state),
before it writes the version of a function. Otherwise the body spoils the session (fudge). On bodies
with remote control the pictures are a function within that.

Sources: fudge (lib/fuji.c) and vcam (src/fuji/fuji.c) for the order; malc0mn/ptp-ip for remote
control. The way back from the pictures to remote control is inferred.
"""

from __future__ import annotations

import time
from contextlib import suppress

from ...ptp.codes import OperationCode
from ...ptp.datasets import DevicePropDesc
from ...ptp.errors import NotApproved, OwnerAsked, ProtocolError, ResponseError, Unsupported
from ..dialect import Asks, Role
from .codes import (
    BACKUP_OBJECT,
    OLDER_VIEWERS,
    REMOTE_VERSION,
    VIEWER_VERSION,
    CameraState,
    ClientState,
    FujifilmOperation,
    FujifilmProperty,
)
from .datasets import News, parse_descriptions, parse_news, parse_number

ASK_S = 0.1  # between two looks at the camera's state (fudge)
UNTOLD_S = 1.0  # without a word of the state, after which its property is asked for
OWNER_S = 120.0  # for the owner to press OK
CONFIRM = "confirm this computer on the camera: press OK there"
NOT_CONFIRMED = "press OK on the camera when it asks, and connect again"
MAX_NEWS = 1 << 19  # bytes: a count of 16 bits
MAX_DESCRIPTIONS = 1 << 20  # bytes; an X-T1 sends 438
MAX_OBJECTS = 1 << 20  # of a card; a folder of one has 999

_U16, _U32 = 2, 4
_VERSIONS = (
    FujifilmProperty.GetObjectVersion,
    FujifilmProperty.RemoteGetObjectVersion,
    FujifilmProperty.ImageGetVersion,
    FujifilmProperty.RemoteVersion,
)


class Functions:
    """The functions of one session, from `begin` on.

    Attributes:
        state: What the body offers (`CameraState`).
        versions: The versions that it tells; None for one that it does not have.
        in_pictures: Whether its pictures can be described and read now.
        changed: The properties that have changed since they were taken from here.
    """

    def __init__(self, link: Asks, model: str) -> None:
        self.state: int = 0
        self.versions: dict[int, int | None] = {}
        self.in_pictures: bool = False
        self.changed: dict[int, int] = {}
        self._link = link
        self._viewer_version = OLDER_VIEWERS.get(model, VIEWER_VERSION)
        self._values: dict[int, int] = {}
        self._in_remote = False
        self._open_capture = 0  # the transaction that began remote control
        self._full_size = False

    # Properties

    def news(self) -> News:
        """Ask for the properties that have changed; this also keeps the body awake."""
        payload = self._link.fetch(
            OperationCode.GetDevicePropValue, FujifilmProperty.News, limit=MAX_NEWS
        )
        news = parse_news(payload)
        self._values.update(news)
        self.changed.update(news)
        return news

    def number(self, code: int) -> int | None:
        """Return the value of a property; None if the body does not have it."""
        return parse_number(self._link.fetch(OperationCode.GetDevicePropValue, code, limit=64))

    def put(self, code: int, value: int, size: int) -> None:
        """Write a property of `size` bytes."""
        data = value.to_bytes(size, "little")
        self._link.command(OperationCode.SetDevicePropValue, code, data=data)

    @property
    def count(self) -> int:
        """The number of pictures, as last told."""
        return self._values.get(FujifilmProperty.ObjectCount, 0)

    def ask_count(self) -> int:
        """Ask for the number of pictures.

        Raises:
            ProtocolError: no card holds so many.
        """
        told = self.number(FujifilmProperty.ObjectCount)
        if told is not None:
            self._values[FujifilmProperty.ObjectCount] = told
        if self.count > MAX_OBJECTS:
            raise ProtocolError(f"the camera counts {self.count:,} pictures")
        return self.count

    def descriptions(self) -> list[DevicePropDesc]:
        """Return the properties of remote control with their current values; none without it."""
        if not self.has_remote:
            return []
        operation = FujifilmOperation.GetPropertyDescriptions
        return parse_descriptions(self._link.fetch(operation, limit=MAX_DESCRIPTIONS))

    @property
    def has_remote(self) -> bool:
        """True if the body has a version of remote control."""
        return self.versions.get(FujifilmProperty.RemoteVersion) is not None

    # The beginning of a session

    def begin(self, role: Role) -> None:
        """Take the function of a role.

        Raises:
            NotApproved: the camera's owner did not allow it in time.
            Unsupported: the body does not offer the role now.
        """
        self.state = self._wait_for_owner()
        self.versions = {code: self.number(code) for code in _VERSIONS}
        remote = self.has_remote or self.state == CameraState.REMOTE
        self._take(ClientState.REMOTE if remote else self.state)
        self.news()
        if role == "remote" and self.state != CameraState.REMOTE:
            raise Unsupported(
                "the camera offers its pictures only",
                hint="choose remote control in the camera's Wi-Fi menu, and connect again",
            )
        if self.state == CameraState.MULTIPLE_TRANSFER:
            self.in_pictures = True  # without a version (fudge)
        elif self.state == CameraState.AUTO_SAVE:
            self._echo(FujifilmProperty.AutoSaveVersion)
            self.in_pictures = True
        elif self.has_remote:
            self.put(FujifilmProperty.RemoteVersion, REMOTE_VERSION, _U32)
        else:
            self._echo(FujifilmProperty.GetObjectVersion)
        if self.state == CameraState.REMOTE:
            self._begin_remote()
            if role == "download":
                self.show_pictures()
        else:
            self.in_pictures = True

    def _wait_for_owner(self) -> int:
        began, told = time.monotonic(), False
        give_up, look = began + OWNER_S, began + UNTOLD_S
        while True:
            self.news()
            if FujifilmProperty.CameraState not in self._values and time.monotonic() > look:
                # It is told once, as a change: the answer that had it may be lost.
                look = time.monotonic() + UNTOLD_S
                self._ask_state()
            state = self._values.get(FujifilmProperty.CameraState, CameraState.WAITING)
            if state != CameraState.WAITING:
                return state
            if time.monotonic() > give_up:
                raise _not_approved()
            if not told:
                told = True
                self._link.waiting(CONFIRM, OWNER_S)
            self._link.pause(ASK_S)

    def _take(self, client: int) -> None:
        """Write the client state. Some bodies ask their owner about a new computer before they
        answer, half a minute and more after the session has begun (fudge)."""
        asked = OwnerAsked(CONFIRM, OWNER_S)
        asked.hint = NOT_CONFIRMED
        data = client.to_bytes(_U16, "little")
        code = OperationCode.SetDevicePropValue
        self._link.command(code, FujifilmProperty.ClientState, data=data, owner=asked)

    def _ask_state(self) -> None:
        with suppress(ResponseError):
            state = self.number(FujifilmProperty.CameraState)
            if state is not None:
                self._values[FujifilmProperty.CameraState] = state

    def _echo(self, version: int) -> None:
        """Write a version back: the body takes it as understood (fudge)."""
        value = self.number(version)
        if value is not None:
            self.put(version, value, _U32)

    def _begin_remote(self) -> None:
        with suppress(ResponseError):
            self._link.fetch(OperationCode.GetObjectInfo, BACKUP_OBJECT, limit=1 << 16)
        self.descriptions()
        self._open_remote()
        self._link.connection.listen()
        self.news()

    def _open_remote(self) -> None:
        response = self._link.command(OperationCode.InitiateOpenCapture, 0, 0)
        self._open_capture = response.transaction_id
        self._in_remote = True
        self.news()

    # From one function to the other

    def show_pictures(self) -> None:
        """Go from remote control to the pictures, unless they are shown."""
        if self.in_pictures:
            return
        self._link.command(OperationCode.TerminateOpenCapture, self._open_capture)
        self._in_remote = False
        self.news()
        self.put(FujifilmProperty.CameraState, CameraState.REMOTE, _U16)
        self.news()
        self.news()
        self.put(FujifilmProperty.ClientState, ClientState.VIEWER, _U16)
        self.news()
        if self.number(FujifilmProperty.RemoteGetObjectVersion) is not None:
            version = self._viewer_version
            self.put(FujifilmProperty.RemoteGetObjectVersion, version, _U32)
        self.news()
        self.in_pictures = True

    def show_camera(self) -> None:
        """Go from the pictures to remote control, unless that is on (inferred)."""
        if self._in_remote:
            return
        self.in_pictures = False
        if self._full_size:
            self._full_size = False
            self.put(FujifilmProperty.EnableCorrectFileSize, 0, _U16)
        self.put(FujifilmProperty.ClientState, ClientState.REMOTE, _U16)
        self.news()
        self._open_remote()

    def show_full_sizes(self) -> None:
        """Have the body report and send whole pictures instead of previews of 100 KB.

        It takes up to 3 s (fudge), so it is done once, as fudge does it for AutoSave, and not
        around each picture.
        """
        if not self._full_size:
            self.put(FujifilmProperty.EnableCorrectFileSize, 1, _U16)
            self._full_size = True


def _not_approved() -> NotApproved:
    return NotApproved(
        f"this computer was not confirmed on the camera within {OWNER_S:.0f} s",
        hint=NOT_CONFIRMED,
    )
