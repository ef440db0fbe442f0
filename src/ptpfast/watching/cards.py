"""What the cards of a camera were when they were listed, and whether they are others now."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import TYPE_CHECKING

from ..ptp.errors import ProtocolError, ResponseError, TransferError

if TYPE_CHECKING:
    from ..session.session import Session

log: logging.Logger = logging.getLogger("ptpfast")


class Cards:
    """What the cards were when they were last listed.

    Attributes:
        listed: The handles that the camera listed.
        storage_ids: The storages.
    """

    def __init__(self, session: Session) -> None:
        self.listed: set[int] = set()
        self.storage_ids: list[int] = []
        self._session = session
        self._descriptions: dict[int, object] = {}

    def are_mostly_there(self, handles: Collection[int]) -> bool:
        """Return whether most listed handles are among these; else the card is another one, or is
        numbered in another way."""
        return 2 * len(self.listed.intersection(handles)) >= len(self.listed)

    def list(self, handles: Collection[int]) -> list[int]:
        """Note the handles that the camera lists now; return the new ones of a card that was listed
        before."""
        before, self.listed = self.listed, set(handles)
        is_same = bool(before) and 2 * len(self.listed & before) >= len(before)
        return [handle for handle in handles if handle not in before] if is_same else []

    def remember(self) -> bool:
        """Note how the cards describe themselves; return whether that is as before."""
        before, self._descriptions = self._descriptions, self._describe()
        self.storage_ids = list(self._descriptions)
        return self._descriptions == before

    def are_others(self) -> bool:
        """Return whether a card was put in or taken out, or describes itself differently."""
        return self._describe() != self._descriptions

    def _describe(self) -> dict[int, object]:
        found: dict[int, object] = {}
        for storage_id in self._session.storage_ids():
            try:
                info = self._session.storage_info(storage_id)
            except (ResponseError, ProtocolError, TransferError) as error:
                if not self._session.usable:
                    raise
                log.debug("card 0x%X is not compared: %s", storage_id, error)
                found[storage_id] = None
            else:
                found[storage_id] = (
                    info.storage_type,
                    info.filesystem_type,
                    info.max_capacity,
                    info.storage_description,
                    info.volume_label,
                )
        return found
