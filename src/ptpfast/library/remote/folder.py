"""The folders of a remote destination: which files are there, and which names are free.

A file there is an object's if the catalog has stored it there, with its size and time. Otherwise it
is another file: a filesystem of another computer seldom keeps the capture time.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from ...ownership.names import same_name
from ..plan.destination import Destination
from ..plan.entry import Entry
from ..plan.folder import Folder
from ..plan.tree import Tree
from .place import RemotePath

if TYPE_CHECKING:
    from ...ptp.objects import ObjectInfo
    from ..plan.known import Known
    from ..plan.namer import Namer
    from ..plan.names import Given, Names
    from ..report.results import KnownBy
    from .target import Target


class RemoteFolder(Folder):
    """A folder of the destination as it was when listed, and what the run has taken of it since."""

    def __init__(
        self,
        path: Path,
        camera: str,
        known: Known | None,
        target: Target,
        *,
        given: Given,
        is_new: bool = False,
    ) -> None:
        """List the folder; a missing one is empty. SinkError."""
        super().__init__(path, camera, None, known, given=given, is_new=True)
        self.real: str = str(path)  # as the catalog has it
        self._target = target
        if is_new:
            return
        for found in target.entries(remote(path)):
            self.enter(
                Entry(found.name, found.is_file, found.size, found.modified, found.is_folder)
            )

    def _known_by(self, entry: Entry, info: ObjectInfo, *, forgiving: bool) -> KnownBy | None:
        record = self._record(entry)
        if record is None or self._known is None:
            return None
        verdict = self._known.verdict(record, entry, info, complete=forgiving)
        if verdict is None and forgiving:
            verdict = self._known.was_stored_here(record, entry, info)
        return "catalog" if verdict else None

    def is_free(self, name: str, info: ObjectInfo) -> bool:
        """Whether nothing of that name is there, nor was given to an object of this run."""
        key = same_name(name)
        return key not in self._given.taken and key not in self._named

    def unrecorded(self, name: str, size: int) -> list[Entry]:
        """Return the files of a size with that name, or a numbered form of it, of which the
        catalog knows nothing."""
        with self._given.lock:
            return [each for each in self.alike(name, size) if self._record(each) is None]

    def claim_once(self, entry: Entry) -> bool:
        """Reserve a file; return whether it was free."""
        with self._given.lock:
            is_free = entry.name not in self._given.claimed
            self.claim(entry)
            return is_free

    def is_new(self, name: str) -> bool:
        """Whether nothing has that name by now."""
        return self._target.look(remote(self.path / name)) is None

    def _part_is_usable(self, name: str, info: ObjectInfo) -> bool:
        return True  # nothing is left to another run

    def parts(self) -> list[str]:
        """Return nothing: no run resumes an unfinished upload."""
        return []

    def part_size(self, path: Path) -> int:
        """Return 0: no run resumes an unfinished upload."""
        return 0

    def tidy(self, path: Path) -> None:
        """Do nothing: there are no journals."""

    def free_space(self) -> int | None:
        """Return None: the room there is not known."""
        return None


class Strays:
    """The files in a folder that may be an object's by name and size, and have no record.

    Attributes:
        entries: The files.
    """

    def __init__(self, folder: RemoteFolder, info: ObjectInfo, name: str) -> None:
        """name: the object's own."""
        self._folder = folder
        self.entries: list[Entry] = folder.unrecorded(name, info.size) if info.size else []

    def claim(self, entry: Entry) -> bool:
        """Reserve one for the object; return whether no other object has it. For any thread."""
        return self._folder.claim_once(entry)


class RemoteTree(Tree):
    """The folders of a remote destination."""

    def __init__(
        self,
        target: Target,
        camera: str,
        known: Known | None,
        *,
        keeps: bool,
        names: Names | None,
        namer: Namer | None = None,
    ) -> None:
        """List the destination. SinkError.

        Args:
            target: the destination.
            camera: the camera whose objects get names here.
            known: what the catalog knows.
            keeps: whether the card's folders are kept.
            names: the names that the cameras of the run have got.
            namer: what names files and folders.
        """
        self._target = target
        super().__init__(
            target.path, camera, None, known, keeps_folders=keeps, names=names, namer=namer
        )

    def _read(self, path: Path, *, is_new: bool = False) -> Folder:
        given = self.names.of(path)
        return RemoteFolder(
            path, self._camera, self._known, self._target, given=given, is_new=is_new
        )

    def parts(self) -> list[Path]:
        """Return nothing: no run resumes an unfinished upload."""
        return []


class RemoteDestination(Destination):
    """The destination of a run, whose folders are made for the first file."""

    def __init__(self, target: Target) -> None:
        super().__init__(target.path)
        self._target = target

    def check(self) -> None:
        """Do nothing: a folder there cannot be held."""

    def prepare(self, folder: Path | None = None) -> None:
        """Make the folder, and one below it. SinkError."""
        self._target.make(remote(folder or self.path))


def remote(path: Path) -> RemotePath:
    """Return a path of a report as what it is."""
    return cast(RemotePath, path)
