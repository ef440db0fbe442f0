"""Dialects: the requests that differ between vendors, or that the standard leaves open.

A `Dialect` is made for each session and may hold state. It behaves as the standard says. A vendor's
dialect overrides what its cameras do differently, with the evidence. It may call the methods of
`Asks` on the session's link.

Sources: ISO 15740, MTP.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, Literal, Protocol

from ..engine.wire import OperationResponse
from ..ptp.codes import OperationCode, ResponseCode
from ..ptp.datasets import DeviceInfo, DevicePropDesc
from ..ptp.errors import OwnerAsked, Unsupported
from ..ptp.objects import ObjectInfo
from ..transport.contract import Opened
from ..transport.timeouts import Timeouts
from .bulk import GET_OBJECT_PROP_LIST, BulkListing, Described
from .quirks import Quirks
from .reads import GET_OBJECT, GET_PARTIAL_OBJECT, GET_THUMB, PartialRead, WholeRead

# Code and parameters of an event that had to be asked for.
PolledEvent = tuple[int, tuple[int, ...]]
# The purpose of a session: to read the card, or to take pictures. Some bodies can do only one of
# them at a time, and have to know which when a session begins.
Role = Literal["download", "remote"]
ROLES: tuple[Role, ...] = ("download", "remote")


class Connected(Protocol):
    """The parts of the connection that a dialect may use."""

    @property
    def opened(self) -> Opened:
        """The connections to the camera, as the transport has opened them."""
        ...

    @property
    def timeouts(self) -> Timeouts:
        """The timeouts of the session."""
        ...

    def listen(self, *, events: bool = True) -> None:
        """Open the Event connection now, for a camera that wants it amid `Dialect.begin`."""
        ...


class ReconnectFirst(Exception):
    """Raised by `Dialect.begin`: the camera accepts this computer on another connection only.

    The link then ends the session in order, waits for `Quirks.reconnect_pause_s`, connects to the
    same camera under the same GUID and name, asks for DeviceInfo again, opens a session and calls
    `begin` once more, of the same dialect. It does so three times at most.
    """


# The storage of pictures in a camera's memory, for dialects that list them; no card has this id.
IN_MEMORY = 0xFFFF0001


class Asks(Protocol):
    """The methods of the link that a dialect may call."""

    @property
    def connection(self) -> Connected:
        """The connection to the camera."""
        ...

    def supports(self, operation: int) -> bool:
        """Return whether the camera lists the operation."""
        ...

    def command(
        self,
        operation: int,
        *parameters: int,
        data: Any = None,
        busy_s: float | None = None,
        owner: OwnerAsked | None = None,
    ) -> OperationResponse:
        """Run an operation; data-in is dropped. Raises ResponseError unless OK.

        With `owner` the camera may ask its owner before it answers. If it is silent, that is told
        as by `waiting`, and waited for. Raises NotApproved if the owner does not allow it.
        """
        ...

    def fetch(
        self, operation: int, *parameters: int, limit: int = ..., busy_s: float | None = None
    ) -> bytearray:
        """Run an operation with data-in; a busy camera is asked again for `busy_s` seconds, 10 by
        default. Raises ResponseError, or ProtocolError above `limit` bytes."""
        ...

    def publish(self, code: int, parameters: tuple[int, ...] = ()) -> None:
        """Pass an event to all subscribers."""
        ...

    def refresh(self) -> DeviceInfo:
        """Ask for DeviceInfo again: the lists in it can change with the camera's mode."""
        ...

    def pause(self, seconds: float) -> None:
        """Wait so many seconds while other threads may use the session."""
        ...

    def waiting(self, what: str, within_s: float | None = None) -> None:
        """Tell the user the reason for a wait.

        Args:
            what: the reason.
            within_s: seconds for the camera's owner to press a button, if that is waited for.
        """
        ...


class Dialect:
    """The standard's behaviour.

    Attributes:
        link: The session's link, as `Asks`.
        info: The camera's DeviceInfo. The link keeps it current.
        quirks: The quirks of this body. A dialect may replace them by those of a model.
        role: The purpose of the session.
    """

    def __init__(
        self, link: Asks, info: DeviceInfo, quirks: Quirks, role: Role = "download"
    ) -> None:
        self.link = link
        self.info = info
        self.quirks = quirks
        self.role = role

    def opening(self, session_id: int) -> tuple[int, tuple[int, ...]]:
        """Return the operation that opens a session, and its parameters."""
        return OperationCode.OpenSession, (session_id,)

    def begin(self) -> None:
        """Run after each OpenSession, also after a reconnect: reset the state of a session.

        A body whose owner has to press a button is waited for here (`Asks.waiting`).

        Raises:
            ReconnectFirst: the camera needs another connection.
            NotApproved: the camera's owner has not approved this computer.
        """

    @property
    def has_event_connection(self) -> bool:
        """True if the Event connection is opened after `begin`.

        It matters only for a transport that does not open it together with the other connection.
        """
        return True

    def end(self) -> None:
        """Run before CloseSession, if the connection still stands."""

    @property
    def polls(self) -> bool:
        """True if events must be polled."""
        return False

    def poll(self) -> list[PolledEvent]:
        """Return the events that the camera reports only when polled."""
        return []

    def meaning(self, code: int, parameters: tuple[int, ...]) -> list[PolledEvent]:
        """Return the meaning of an event of the Event connection, in the standard's codes if there
        are such, so that ObjectAdded has one code for all cameras."""
        return [(code, parameters)]

    def keep_awake(self) -> None:
        """Send a cheap operation, so that an idle camera does not disconnect."""
        self.link.fetch(OperationCode.GetStorageIDs)

    def is_busy(self, code: int) -> bool:
        """Return whether a response code means "retry later"."""
        return code == ResponseCode.DeviceBusy

    def storages(self) -> list[int] | None:
        """Return the storage ids; None to ask for them as the standard does."""
        return None

    def without_repeats(self, storage_ids: list[int]) -> list[int]:
        """Return the storages of a list by the standard that hold what no other one holds."""
        return storage_ids

    def uncover(self) -> bool:
        """Leave a mode that hides the card, when none is listed; return whether to ask again."""
        return False

    def handles(self, storage_id: int, parent: int) -> list[int] | None:
        """Return the handles in a storage; None to ask for them as the standard does.

        Args:
            storage_id: the storage.
            parent: 0 for all handles, all ones for those in the root, else a folder.
        """
        return None

    def described(self, handle: int) -> Described | None:
        """Describe an object that GetObjectInfo cannot; None to ask as the standard does."""
        return None

    def rating(self, handle: int) -> int | None:
        """Return the stars of an object, 0 to 5, without asking the camera; None if unknown."""
        return None

    def bulk(self) -> tuple[BulkListing, ...]:
        """Return the operations that describe many objects at once, in order of preference."""
        return (GET_OBJECT_PROP_LIST,)

    def reads(self) -> tuple[PartialRead, ...]:
        """Return the partial reads in order of preference.

        The first one that the camera supports and that reaches far enough is used.
        """
        return (GET_PARTIAL_OBJECT,)

    def whole(self) -> WholeRead | None:
        """Return the operation that reads a whole object; None if objects are sent in parts."""
        return GET_OBJECT

    def thumb(self) -> WholeRead:
        """Return the operation that reads a thumbnail."""
        return GET_THUMB

    def held(self, handle: int) -> bytes | bytearray | None:
        """Return an object that the dialect has already received; None to ask the camera.

        Some bodies give out a picture from their memory only to make room for the next one.
        """
        return None

    @property
    def deletes(self) -> bool:
        """True if objects can be deleted."""
        return self.link.supports(OperationCode.DeleteObject)

    def undeletable(self, handle: int) -> str:
        """Return why an object cannot be deleted alone, in words; '' if it can."""
        return ""

    def delete(self, handle: int, busy_s: float | None = None) -> None:
        """Delete an object; retry for `busy_s` seconds while the camera is busy."""
        self.link.command(OperationCode.DeleteObject, handle, busy_s=busy_s)

    @property
    def asks_between_reads(self) -> bool:
        """True if `reading` or `may_have_changed` asks the camera something.

        Then no read of the next object is sent ahead: the camera would send that part twice.
        """
        return False

    @contextmanager
    def reading(self, info: ObjectInfo) -> Iterator[None]:
        """Surround the reading of one object. With an exception it was not read to the end."""
        yield

    def stored(self, handle: int) -> None:
        """Note that an object which was read to its end is safe: its file has its final name, or
        its bytes are the caller's.

        It runs some time after `reading`, and may run after a reconnect, when the handle can be
        another object's. A body that forgets an object once it was read may forget it from here on.
        """

    def before_thumbnail(self, handle: int) -> None:
        """Ask for what a camera wants to be asked for before GetThumb."""

    @contextmanager
    def reading_part(self, info: ObjectInfo) -> Iterator[None]:
        """Surround the reading of a part of an object; as `reading` by default.

        A body that forgets an object once it was read must not forget it here.
        """
        with self.reading(info):
            yield

    def may_have_changed(self, handle: int) -> bool:
        """Return whether an object that is being read may be another one by now.

        It is asked at the end of `reading`. If so, the object is described again and compared.
        """
        return False

    def true_size(self, handle: int) -> int | None:
        """Return the 64-bit size of an object of 4 GiB or more; None if the camera cannot tell."""
        return None

    def release(self) -> None:
        """Take a picture; return when the camera accepts operations again.

        The new object is found by ObjectAdded, else by comparing the handles.
        """
        self.link.command(OperationCode.InitiateCapture, 0, 0)

    def properties(self) -> list[int]:
        """Return the codes of the device properties."""
        return list(self.info.device_properties_supported)

    def marked(self) -> list[int] | None:
        """Return the handles of the objects that the camera's owner has marked for transfer.

        None if the camera has no such list.
        """
        return None

    def unmark(self, handle: int) -> None:
        """Remove an object from the camera's list of objects to transfer: it is safe here."""

    def more(self, taken: Collection[int]) -> list[int]:
        """Return further handles, if the camera offers its objects one after the other.

        Called when everything that was listed has been dealt with.

        Args:
            taken: the listed handles whose files are complete here.
        """
        return []

    @property
    def offers_one(self) -> bool:
        """True if the camera offers one object at a time (`more`), and the next one only when that
        one was taken. Then an object without a date is known to be here only by its path."""
        return False

    @property
    def sends_once(self) -> bool:
        """True if an object that was sent to its end is not sent again, so that nothing is asked
        once all its bytes are here."""
        return False

    @property
    def may_be_over(self) -> str:
        """The sentences about a camera that offers no more without having said so; '' if it has.

        One that switches off after its last object, and does not tell how many there are, cannot be
        told from one that is lost between two.
        """
        return ""

    def property_desc(self, code: int) -> DevicePropDesc | None:
        """Describe a device property; None to ask as the standard does."""
        return None

    def set_property(self, desc: DevicePropDesc, value: Any) -> bool:
        """Set a device property; False to do it as the standard does."""
        return False

    def live_view(self) -> Iterator[bytes]:
        """Yield live view frames (JPEG) until it is closed, then end live view.

        Raises:
            Unsupported: ptpfast knows no live view of this camera, or not in this role.
        """
        raise Unsupported("no live view is known for this camera")
