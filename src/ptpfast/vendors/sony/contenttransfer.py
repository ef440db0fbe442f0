"""Reading the card in the mode "Content transfer", in which the camera takes no pictures.

Source: Sony's Camera Control PTP 3 Reference.
"""

from __future__ import annotations

import time
from typing import Any, ClassVar

from ...ptp.codes import EventCode, OperationCode
from ...ptp.errors import PTPError, ResponseError
from ..bulk import GET_OBJECT_PROP_LIST, BulkListing
from ..dialect import PolledEvent
from ..quirks import MiB, Quirks
from ..reads import GET_PARTIAL_OBJECT, PartialRead
from .codes import CHOSEN, Mode, SonyOperation, SonyProperty
from .datasets import low_high
from .sdio import SdioDialect

ON_HOST = 2  # who selects the contents
ON, OFF = 1, 0
CARD_S, CARD_PAUSE_S = 15.0, 0.2  # until the camera shows its cards
QUIRKS = Quirks(
    # Programs are known to read 1, 3, 4 and 10 MiB at a time (public notes); more is not.
    max_chunk=8 * MiB,
    keep_awake_s=5.0,  # airmtp
)
# Offsets have 64 bits, and all ones are no size.
GET_PARTIAL_LARGE_OBJECT = PartialRead(
    SonyOperation.GetPartialLargeObject,
    64,
    lambda handle, offset, size: (handle, *low_high(offset), min(size, 0xFFFFFFFE)),
)
# Not the whole tree at once: requests for all storages make some bodies hang (libgphoto2).
FOLDER_BY_FOLDER = BulkListing(
    GET_OBJECT_PROP_LIST.operation,
    tree=None,
    folder=GET_OBJECT_PROP_LIST.folder,
    parse=GET_OBJECT_PROP_LIST.parse,
)


def cards_alone(storage_ids: list[int]) -> list[int]:
    """Leave out the storage of chosen pictures beside the cards, which have all of them."""
    return [storage_id for storage_id in storage_ids if storage_id != CHOSEN] or storage_ids


class ContentTransfer(SdioDialect):
    """A session that reads the card with the standard's operations."""

    mode: ClassVar[Mode] = Mode.CONTENT_TRANSFER
    takes_priority: ClassVar[bool] = False  # properties cannot be set in this mode

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.quirks = QUIRKS
        self._has_card = False  # as the event says

    def begin(self) -> None:
        """Authenticate, switch to content transfer, and wait for the cards.

        Raises:
            PTPError: the camera does not show its cards.
        """
        super().begin()
        self._has_card = False
        self._switch(ON)
        give_up = time.monotonic() + CARD_S
        while not self._has_card and self.value(SonyProperty.ContentsTransferEnabled) != 1:
            if time.monotonic() > give_up:
                raise PTPError(
                    "the camera does not show its cards",
                    hint="check that it has a card, and that no movie is being recorded",
                )
            self.link.pause(CARD_PAUSE_S)
            self.look(changes=True)

    def _switch(self, on: int) -> None:
        self.link.command(SonyOperation.SetContentsTransferMode, ON_HOST, on, 0)

    def end(self) -> None:
        """Leave content transfer."""
        try:
            self._switch(OFF)
        except ResponseError:
            pass  # the camera has ended the mode already

    @property
    def polls(self) -> bool:
        """False: nothing changes in this mode."""
        return False

    def meaning(self, code: int, parameters: tuple[int, ...]) -> list[PolledEvent]:
        """Note that the camera shows a card."""
        self._has_card |= code == EventCode.StoreAdded
        return super().meaning(code, parameters)

    def without_repeats(self, storage_ids: list[int]) -> list[int]:
        """Leave out the storage of chosen pictures beside the cards."""
        return cards_alone(storage_ids)

    def bulk(self) -> tuple[BulkListing, ...]:
        """Return GetObjectPropList, for one folder at a time."""
        return (FOLDER_BY_FOLDER,)

    def reads(self) -> tuple[PartialRead, ...]:
        """Return Sony's partial read: some bodies refuse the standard's (A7C II, public notes)."""
        return (GET_PARTIAL_LARGE_OBJECT, GET_PARTIAL_OBJECT)

    @property
    def deletes(self) -> bool:
        """True if the body lists the standard's operation."""
        return self.link.supports(OperationCode.DeleteObject)
