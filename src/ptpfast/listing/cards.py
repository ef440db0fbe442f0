"""The cards of a camera and their handles. A failed card does not hide the others.

An empty list is not trusted. The camera may have no card, or may not list it, or may list only the
root.

Source: ISO 15740 for storage ids: the low half of an empty slot's id is zero, the high half counts
slots.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from ..engine.sink import MemorySink
from ..link.asking import attempt
from ..link.link import Link
from ..link.pipelining import Request
from ..link.tally import Tally
from ..ptp.codes import ROOT_OBJECTS, OperationCode, ResponseCode
from ..ptp.datasets import StorageInfo, decode, decode_array
from ..ptp.errors import ProtocolError, PTPError, ResponseError, StoreNotAvailable, TransferError
from ..ptp.objects import card_name
from .recall import UNKNOWN_SPACE, Card

log: logging.Logger = logging.getLogger("ptpfast")

MAX_HANDLES = 1 << 20  # objects of a camera; a card holds some ten thousand
MAX_STORAGES = 1000  # of a camera; the largest have three slots
MAX_STORAGE_INFO = 1 << 16
# Used space of a card without pictures: the filesystem's, and the camera's own files.
USED_IF_EMPTY = 1_000_000

Unlisted = dict[int, PTPError]
_FAILURES = (ResponseError, ProtocolError, TransferError)


def storages_of(link: Link) -> tuple[list[int], PTPError | None]:
    """Return the ids of all storages with a card, and the error of a list that was cut.

    The ids before the cut are right. A body that hides its card is asked again once it shows it.
    """
    if (own := link.dialect.storages()) is not None:
        return own, None
    found, error = _listed(link)
    if not found and link.dialect.uncover():
        found, error = _listed(link)
    return found, error


def _listed(link: Link) -> tuple[list[int], PTPError | None]:
    operation, error = OperationCode.GetStorageIDs, None
    # An answer without even a count, or a cut one, is not to hide a card: asked for twice.
    for _ in range(2):
        payload = link.fetch(operation, limit=4 + 4 * MAX_STORAGES)
        try:
            ids = decode_array(payload, "u32", "GetStorageIDs") if payload else []
            error = None
        except ProtocolError as damaged:
            error = damaged
            whole = memoryview(payload)[4 : len(payload) // 4 * 4].tobytes()
            ids = [int.from_bytes(whole[at : at + 4], "little") for at in range(0, len(whole), 4)]
        if payload and error is None:
            break
    with_card = [storage_id for storage_id in dict.fromkeys(ids) if storage_id & 0xFFFF]
    found = link.dialect.without_repeats(with_card)
    if error is not None and not found:
        raise error
    return found, error


def no_card() -> StoreNotAvailable:
    """Return the error for a camera that lists no storage with a card."""
    error = StoreNotAvailable(ResponseCode.StoreNotAvailable, OperationCode.GetStorageIDs)
    error.message = "no memory card in the camera"
    error.hint = "put a card in, or wait until the camera has read it"
    return error


def handles_of(link: Link, storage_id: int, parent: int, tally: Tally) -> list[int]:
    """Return the handles below `parent` (0: of all objects) of a storage.

    Notes:
        All three parameters are sent, because some bodies answer nothing otherwise (airmtp). An
        answer that is cut or has no count is asked for twice: a card must not look empty because of
        it.
    """
    if (own := link.dialect.handles(storage_id, parent)) is not None:
        tally.count(1)
        return own
    operation = OperationCode.GetObjectHandles
    for last in (False, True):
        sink = MemorySink()
        tally.count(1)
        link.transact(Request(operation, (storage_id, 0, parent), sink, limit=4 + 4 * MAX_HANDLES))
        try:
            if payload := sink.finish():
                return decode_array(payload, "u32", "GetObjectHandles")
        except ProtocolError:
            if last:
                raise
    return []


def cards_of(
    link: Link, storage_ids: Iterable[int], parent: int, tally: Tally
) -> tuple[list[Card], Unlisted]:
    """Return the storages with their handles, and the errors of the others.

    Raises:
        PTPError: no storage can be listed.
    """
    ids = list(storage_ids)

    def handles(storage_id: int) -> list[int]:
        def ask() -> list[int]:
            return handles_of(link, storage_id, parent, tally)

        # Without another card there is nothing that could be had instead.
        operation = OperationCode.GetObjectHandles
        return attempt(link, operation, storage_id, ask) if len(ids) > 1 else ask()

    cards: dict[int, Card] = {}
    unlisted: Unlisted = {}
    # Twice: "no store" is also the last word of a camera that goes to sleep, and then the next
    # request finds the connection at its end.
    for storage_id in [*ids, *(ids if len(ids) > 1 else ())]:
        if storage_id in cards or (len(unlisted) == len(ids) and not cards):
            continue
        try:
            found = handles(storage_id)
        except _FAILURES as failure:
            if not link.usable:
                raise
            unlisted[storage_id] = failure
        else:
            cards[storage_id] = Card(storage_id, list(dict.fromkeys(found)))  # some repeat
            unlisted.pop(storage_id, None)
    if unlisted and not cards:
        raise next(iter(unlisted.values()))
    for storage_id, error in unlisted.items():
        log.warning("%s cannot be listed: %s", card_name(storage_id), error)
    # A folder is on one card, and others need not know its handle.
    return [cards[each] for each in ids if each in cards], {} if parent else unlisted


def introduce(link: Link, card: Card, tally: Tally) -> StorageInfo | None:
    """Ask a storage for its description and store it in the card, if it has one."""
    operation = OperationCode.GetStorageInfo
    if link.operations and not link.supports(operation):
        return None
    tally.count(1)
    try:
        payload = attempt(
            link,
            operation,
            card.storage_id,
            lambda: link.fetch(operation, card.storage_id, limit=MAX_STORAGE_INFO),
        )
        info = decode(StorageInfo, payload)
    except _FAILURES as error:
        if not link.usable:
            raise
        log.debug("storage 0x%08X says nothing of itself: %s", card.storage_id, error)
        return None
    card.introduce(info)
    return info


def question(link: Link, card: Card, tally: Tally) -> str:
    """Return why a card without objects may not be empty, '' if nothing suggests that.

    A camera may list no objects when asked for all, and some when asked for those in the root. Then
    it has these.
    """
    info = introduce(link, card, tally)
    if info is None or UNKNOWN_SPACE in (info.max_capacity, info.free_space_in_bytes):
        return ""
    used = info.max_capacity - info.free_space_in_bytes
    if used <= USED_IF_EMPTY:
        return ""
    try:
        found = handles_of(link, card.storage_id, ROOT_OBJECTS, tally)
    except _FAILURES as error:
        if not link.usable:
            raise
        log.debug("the root of storage 0x%08X: %s", card.storage_id, error)
        found = []
    card.handles = list(dict.fromkeys(found))
    if card.handles:
        return ""
    amount = f"{used / 1e9:.1f} GB" if used >= 1e9 else f"{used / 1e6:.1f} MB"
    verb = "is" if used == 1 else "are"
    return (
        f"the camera lists no pictures on {card_name(card.storage_id)}, although {amount} of it "
        f"{verb} used"
    )
