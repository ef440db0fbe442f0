"""The folders of a camera, with a path for each object that is the only one with it.

Names come from the camera and are untrusted. A part of a path is the name that `pull` would give to
a file: one component, never `..`, without characters that some system refuses. If names in a folder
collide, the later ones are numbered, as `pull` does it.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ..library.plan.naming import local_name, numbered
from ..listing import Listing
from ..ptp.objects import Description, ObjectInfo, card_name

_MOST_FOLDERS = 32  # in each other; a hostile card may have folders in a circle


@dataclass(slots=True)
class Node:
    """A file or a folder. `info` is None for a folder, `handle` 0 for a card."""

    handle: int
    storage_id: int
    info: ObjectInfo | None = None
    children: dict[str, Node] = field(default_factory=dict)
    # The same names without case: many disks take `a.jpg` and `A.JPG` for one file.
    taken: set[str] = field(default_factory=set)
    # The last number of each name: many files of one name must not take a look at each of them.
    numbers: dict[str, int] = field(default_factory=dict)

    @property
    def is_folder(self) -> bool:
        """True for a folder or a card."""
        return self.info is None

    def add(self, name: str, node: Node) -> None:
        """Add a child under a name that no other has."""
        part = wanted = local_name(name)
        number = self.numbers.get(wanted.casefold(), 0)
        while part.casefold() in self.taken:
            number += 1
            part = numbered(wanted, number)
        if number:
            self.numbers[wanted.casefold()] = number
        self.taken.add(part.casefold())
        self.children[part] = node


class Tree:
    """The cards of a camera.

    A camera with one card has the card's folders at its root. With several, each has a folder
    there: `/card1/DCIM`. That form also works with one card, and the form without the card works
    while a path is on one card only.
    """

    def __init__(
        self,
        storage_ids: Iterable[int],
        files: Iterable[ObjectInfo],
        folders: Mapping[int, Description],
        failures: int = 0,
    ) -> None:
        self._folders = folders
        self._failures = failures
        self._nodes: dict[int, Node] = {}
        self._cards: dict[int, Node] = {each: Node(0, each) for each in storage_ids}
        for handle in folders:
            self._folder(handle)
        for info in files:
            self._parent(info.storage_id, info.parent, info.handle).add(
                info.name, Node(info.handle, info.storage_id, info)
            )
        self._by_name = Node(0, 0)
        for storage_id, card in self._cards.items():
            self._by_name.add(card_name(storage_id).replace(" ", ""), card)

    @classmethod
    def of(cls, listing: Listing, files: Iterable[ObjectInfo], failures: int) -> Tree:
        """Return the tree of a complete listing."""
        files = list(files)
        todo = [*listing.handles, *(info.parent for info in files)]
        folders: dict[int, Description] = {}
        while todo:
            handle = todo.pop()
            known = None if handle in folders else listing.known(handle)
            if known is not None and known.is_folder:
                folders[handle] = known
                todo.append(known.parent)
        ordered = sorted(folders)
        return cls(
            listing.storage_ids, files, {handle: folders[handle] for handle in ordered}, failures
        )

    def _folder(self, handle: int, depth: int = 0) -> Node | None:
        """Return a folder, with those around it; None if there is none, or too many."""
        if handle in self._nodes:
            return self._nodes[handle]
        known = self._folders.get(handle)
        if known is None or depth > _MOST_FOLDERS:
            return None
        node = self._nodes[handle] = Node(handle, known.storage_id)
        self._parent(known.storage_id, known.parent, handle, depth + 1).add(known.name, node)
        return node

    def _parent(self, storage_id: int, parent: int, handle: int, depth: int = 0) -> Node:
        folder = None if parent == handle else self._folder(parent, depth)
        if folder is not None and not self._is_below(parent, handle):
            return folder
        return self._cards.setdefault(storage_id, Node(0, storage_id))

    def _is_below(self, handle: int, ancestor: int) -> bool:
        """Return whether a folder is in another one, in a circle, or in too many."""
        seen: set[int] = set()
        while handle in self._folders and handle not in seen:
            if handle == ancestor or len(seen) >= _MOST_FOLDERS:
                return True
            seen.add(handle)
            handle = self._folders[handle].parent
        return False

    def root(self, storage_id: int | None) -> Node:
        """Return the root of one card, or of all.

        Args:
            storage_id: a storage id, or a slot from 1 on; None for all cards.

        Raises:
            FileNotFoundError: there is no such card.
        """
        if storage_id is None:
            return next(iter(self._cards.values())) if len(self._cards) == 1 else self._by_name
        for each, card in self._cards.items():
            if storage_id in (each, each >> 16):
                return card
        raise FileNotFoundError(errno.ENOENT, f"the camera has no card {storage_id}", "/")

    def find(self, path: str, storage_id: int | None = None) -> Node:
        """Return the node at a path.

        Raises:
            FileNotFoundError: there is none, or one on each of several cards.
        """
        parts = [part for part in path.split("/") if part]
        root = self.root(storage_id)
        if (node := _below(root, parts)) is not None:
            return node
        if storage_id is None and root is not self._by_name:
            node = _below(self._by_name, parts)
        elif root is self._by_name:
            found = {
                name: node
                for name, card in self._by_name.children.items()
                if (node := _below(card, parts)) is not None
            }
            if len(found) > 1:
                places = " and ".join(f"/{name}{path}" for name in found)
                raise FileNotFoundError(
                    errno.ENOENT, f"it is on several cards; write {places}", path
                )
            node = next(iter(found.values()), None)
        if node is None:
            count = self._failures
            what = "1 object" if count == 1 else f"{count} objects"
            hint = f" ({what} of the card could not be described)" if count else ""
            raise FileNotFoundError(errno.ENOENT, f"no such file on the card{hint}", path)
        return node

    def files(self) -> Iterator[ObjectInfo]:
        """Yield all files."""
        todo = list(self._cards.values())
        while todo:
            node = todo.pop()
            if node.info is not None:
                yield node.info
            todo += node.children.values()


def _below(node: Node, parts: list[str]) -> Node | None:
    for part in parts:
        found = node.children.get(part)
        if found is None:
            return None
        node = found
    return node
