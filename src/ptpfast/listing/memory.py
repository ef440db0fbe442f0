"""The index of the cards of a listing: load, check, store.

Sources: airmtp for asking only for new objects.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping

from ..link.link import Link
from ..link.tally import Tally
from ..ptp.objects import Description
from ..state.index import Index
from .cards import introduce
from .describer import Describer
from .entries import Answer, Entries
from .recall import Card

log: logging.Logger = logging.getLogger("ptpfast")


class Memory:
    """The remembered cards of a listing. Without an index nothing is loaded or stored."""

    def __init__(
        self,
        index: Index | None,
        cards: list[Card],
        entries: Entries,
        describer: Describer,
        known: Mapping[int, Description],
    ) -> None:
        """known: what this session has learned since the index was stored."""
        self._index = index
        self._cards = cards
        self._entries = entries
        self._describer = describer
        self._known = known
        self._recalled = index is None
        self._withdrawn = False

    def recall(
        self, link: Link, tally: Tally, open_folders: Callable[[Mapping[int, Answer]], object]
    ) -> None:
        """Load the index, once, and compare some of it with the camera.

        Args:
            link: asks the camera.
            tally: counts the requests.
            open_folders: looks for handles in the folders among what is known.
        """
        if self._recalled:
            return
        for card in self._cards:
            if card.name is None:
                introduce(link, card, tally)
                self._recall_card(card, open_folders)
        chosen = (handle for card in self._cards for handle in card.samples())
        self._describer.ask(self._entries.remembered(chosen))
        for card in self._cards:
            answers = self._entries.were(card.believed)
            if card.believed and (False in answers or True not in answers):
                self.distrust([card])
        self._recalled = True

    def _recall_card(
        self, card: Card, open_folders: Callable[[Mapping[int, Answer]], object]
    ) -> None:
        if self._index is None or card.name is None:
            return
        remembered = self._index.recall(card.storage_id, card.name)
        there = set(card.handles)
        if any(
            handle not in there and each.parent in there
            for handle, each in remembered.descriptions.items()
        ):
            # Gone, or never listed but in its folder.
            open_folders({**remembered.descriptions, **self._entries.answers()})
        card.remember(remembered)
        card.know(self._known)
        self._entries.remember(card.believed)

    def distrust(self, cards: Iterable[Card]) -> None:
        """Discard everything remembered of these cards; their objects are requested again."""
        for card in cards:
            log.warning(
                "the index of storage 0x%08X is outdated; it is listed again",
                card.storage_id,
            )
            self._entries.distrust(card.believed)
            card.forget()
            self._describer.bulk_is_due = True
            if self._index is not None and card.name is not None:
                self._index.keep(card.storage_id, card.name, None, {})

    def distrust_wrong(self) -> None:
        """Discard the cards with a wrong description in the index."""
        self.distrust(card for card in self._cards if False in self._entries.were(card.believed))

    def distrust_unexplained(self) -> None:
        """Discard the cards whose free space is not explained by the new objects."""
        self.distrust(card for card in self._cards if not self._space_is_explained(card))

    def _space_is_explained(self, card: Card) -> bool:
        came = (
            known
            for handle in card.handles
            if handle not in card.remembered
            and (known := self._entries.description(handle)) is not None
        )
        return not card.remembered or card.space_is_explained(came)

    def withdraw(self) -> None:
        """Delete the index of these cards, and store nothing until `restore`."""
        self._withdrawn = True
        if self._index is not None:
            self._index.forget()

    def restore(self) -> None:
        """Store again, from the next `keep` on."""
        self._withdrawn = False

    def not_kept(self, handles: Iterable[int]) -> dict[int, Description]:
        """Return the known descriptions of those of these handles that `keep` does not store."""
        kept = {handle for card in self._cards for handle in card.handles}
        return {
            handle: known
            for handle in handles
            if handle not in kept and (known := self._entries.description(handle)) is not None
        }

    def keep(self, *, complete: bool) -> None:
        """Store the known descriptions if they differ; the free space only if `complete`."""
        if self._index is None or self._withdrawn:
            return
        for card in self._cards:
            if card.name is None:
                continue
            described = {
                handle: known
                for handle in card.handles
                if (known := self._entries.description(handle)) is not None
            }
            free = card.free if complete and len(described) == len(card.handles) else None
            is_new = len(described) != len(card.remembered) or bool(card.known) or bool(card.gone)
            if is_new or free is None or free != card.was_free:
                self._index.keep(card.storage_id, card.name, free, described)
