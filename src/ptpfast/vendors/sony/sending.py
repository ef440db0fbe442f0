""" "Send to Computer": the camera's owner starts it in the menu, and the computer reads the card.

Sources: airmtp (airmtp.py) for the messages and their order; libgphoto2 (library.c) for the shorter
first message.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from ...ptp.codes import OperationCode
from ...ptp.errors import ResponseError, Unsupported
from ..bulk import BulkListing
from ..dialect import Dialect
from ..quirks import Quirks
from ..reads import GET_PARTIAL_OBJECT, PartialRead
from .codes import STATUS, SonyOperation
from .contenttransfer import FOLDER_BY_FOLDER, GET_PARTIAL_LARGE_OBJECT, cards_alone
from .sdio import ONLY_REMOTE

log: logging.Logger = logging.getLogger("ptpfast")

MAX_STATUS = 1 << 16
# Each message is followed by a question for the status: without it the camera is busy for ever.
STARTS = (
    bytes.fromhex("02000000 02000000 00000000 00000000 01000200 00"),  # airmtp
    bytes.fromhex("02000000 02000000 00000000 00000000 01 01"),  # libgphoto2
)
# The camera says that the pictures are saved, and goes to sleep. Without it, it does not answer the
# next Init until its owner has started again.
ENDS = (
    bytes.fromhex("00000000 03000000 00000000 00000000 02 00 30"),
    bytes.fromhex("00000000 05000000 00000000 00000000 02 00 30"),
)
QUIRKS = Quirks(
    close_after_open_s=1.0,  # airmtp
    keep_awake_s=5.0,  # airmtp: the mode ends after two minutes, and probes do not keep it
)


class SendToComputer(Dialect):
    """A session with a camera that sends the pictures of its card."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.quirks = QUIRKS
        self._has_begun = False

    def begin(self) -> None:
        """Tell the camera that the computer begins: otherwise the mode ends after two minutes."""
        self._has_begun = False
        operations = (SonyOperation.SetSendStatus, SonyOperation.GetSendStatus)
        if not all(map(self.link.supports, operations)):
            return
        for message in STARTS:
            try:
                self._tell(message)
            except ResponseError as error:
                log.debug("the camera does not accept the beginning: %s", error)
            else:
                self._has_begun = True
                return

    def _tell(self, message: bytes, busy_s: float | None = None) -> None:
        set_status, get_status = SonyOperation.SetSendStatus, SonyOperation.GetSendStatus
        self.link.command(set_status, STATUS, data=message, busy_s=busy_s)
        self.link.fetch(get_status, STATUS, limit=MAX_STATUS, busy_s=busy_s)

    def end(self) -> None:
        """Have the camera go to sleep, ready for its owner to start the next transfer."""
        if self._has_begun:
            for message in ENDS:
                try:
                    self._tell(message, self.link.connection.timeouts.close)
                except ResponseError as error:  # the last one is what puts it to sleep
                    log.debug("the camera does not accept the end: %s", error)

    def keep_awake(self) -> None:
        """Ask for DeviceInfo: probes do not keep a session alive (airmtp)."""
        self.link.fetch(OperationCode.GetDeviceInfo, limit=1 << 20)

    def release(self) -> None:
        """Raise Unsupported: only remote control takes pictures."""
        raise self._no_remote_control()

    def live_view(self) -> Iterator[bytes]:
        """Raise Unsupported: only remote control has live view."""
        raise self._no_remote_control()

    def _no_remote_control(self) -> Unsupported:
        if self.role != "remote":
            return Unsupported(ONLY_REMOTE)
        return Unsupported(
            "the camera lists no remote control",  # or `sony_dialect` had chosen that
            hint="end Send to Computer on the camera, and choose PC Remote in its menu",
        )

    def without_repeats(self, storage_ids: list[int]) -> list[int]:
        """Leave out the storage of chosen pictures beside the cards."""
        return cards_alone(storage_ids)

    def bulk(self) -> tuple[BulkListing, ...]:
        """Return GetObjectPropList, for one folder at a time."""
        return (FOLDER_BY_FOLDER,)

    def reads(self) -> tuple[PartialRead, ...]:
        """Return the standard's partial read, and Sony's beyond 4 GiB."""
        return (GET_PARTIAL_OBJECT, GET_PARTIAL_LARGE_OBJECT)
