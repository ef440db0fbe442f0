"""Storages that cannot be read, from the start of a run or since some moment in it.

A storage that fails does not end the run: its objects are set aside, the others are fetched.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from ...ptp.errors import ProtocolError, ResponseError
from ..report.results import StorageFailure

if TYPE_CHECKING:
    from ...listing import Listing
    from ...ptp.objects import ObjectInfo
    from ...session.persistence import Persistence
    from ..report.report import Card
    from .selection import Selection

log: logging.Logger = logging.getLogger("ptpfast")


class Storages:
    """Notes in the report which storages could not be read, from what the listing could not list
    on."""

    def __init__(
        self, persistence: Persistence, listing: Listing, card: Card, selection: Selection
    ) -> None:
        self._session = persistence.session
        self._persistence = persistence
        self._card = card
        self._unavailable: dict[int, StorageFailure] = {}
        unlisted = listing.unlisted
        card.doubts += selection.missing_cards([*listing.storage_ids, *filter(None, unlisted)])
        for storage_id, error in unlisted.items():
            if storage_id and not selection.takes_card(storage_id):
                continue
            card.storages.append(StorageFailure(storage_id, str(error), error))
        card.doubts += listing.doubts

    def unavailable(self, info: ObjectInfo) -> StorageFailure | None:
        """Return why the object's storage cannot be read; None if it can."""
        return self._unavailable.get(info.storage_id)

    def look(self, info: ObjectInfo) -> None:
        """After an answer that an object's storage is not available: asks whether that is so."""
        storage_id = info.storage_id
        try:
            self._persistence.run(partial(self._session.storage_info, storage_id))
        except (ResponseError, ProtocolError) as error:
            if not self._session.usable:
                raise
            failure = StorageFailure(storage_id, f"no longer available: {error.message}", error)
            log.warning("%s", failure)
            self._unavailable[storage_id] = failure
            self._card.storages.append(failure)
