"""What came of a `pull`: the results of all its objects, and what is counted of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from .results import ALREADY_HERE, CopyStatus, FileResult, Leftover, Status, StorageFailure


@dataclass(slots=True)
class Report:
    """The outcome of a run, whole or as far as it came.

    listed: whether all of the camera's objects are known; until then the counts grow. found: how
    many files that is; selected: how many of them were to be taken, and `selection` by what, in
    words. storages: those that could not be read. doubts: why a card without objects may not be
    empty, in words. bytes: payload bytes moved in this run (a resumed file counts with what was
    still missing). seconds: spent on fetching objects, listing not included; elapsed: since `pull`
    was called, in all. undated: objects left out because a date range was asked for and they have
    no date. manifest: the file of checksums, if one was written. leftovers: part files that no run
    will go on with, known when all is listed. found_gone: objects whose deletion an earlier run had
    begun when it was interrupted, and which are not on the camera any more. same_disk: with
    `delete_verified`, folders for copies that are on the disk of the destination, which are then
    lost with it. vanished: names of objects that went from the camera while others were deleted,
    and that it was not asked to delete. verify, algorithm: how far each file that was downloaded is
    checked (`transfer.verify`), and by which digest from `hash` on.
    """

    destination: Path
    files: list[FileResult] = field(default_factory=list)
    listed: bool = False
    found: int = 0
    selected: int = 0
    selection: str = ""
    bytes: int = 0
    seconds: float = 0.0
    elapsed: float = 0.0
    undated: int = 0
    retries: int = 0
    manifest: Path | None = None
    found_gone: int = 0
    same_disk: list[Path] = field(default_factory=list)
    vanished: list[str] = field(default_factory=list)
    storages: list[StorageFailure] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    leftovers: list[Leftover] = field(default_factory=list)
    verify: str = "size"
    algorithm: str = "sha256"

    def count(self, status: Status) -> int:
        """How many objects ended so."""
        return sum(1 for result in self.files if result.status == status)

    def having(self, status: Status) -> list[FileResult]:
        """The objects that ended so, in order."""
        return [result for result in self.files if result.status == status]

    @property
    def objects(self) -> int:
        """Objects of the run: those selected, and those that could not be described."""
        return self.selected + sum(1 for result in self.files if result.object is None)

    @property
    def downloaded(self) -> int:
        """Objects that arrived in this run."""
        return self.count("downloaded")

    @property
    def skipped(self) -> int:
        """Objects left alone: here already, a different file is in the way, or of no bytes and
        refused."""
        return self.count("skipped")

    @property
    def unread(self) -> int:
        """Files that were here already, taken for the object's by name, size and date alone."""
        return sum(
            1 for result in self.files if result.reason == ALREADY_HERE and not result.compared
        )

    @property
    def failed(self) -> int:
        """Objects that could not be had."""
        return self.count("failed")

    @property
    def deleted(self) -> int:
        """Objects deleted on the camera in this run."""
        return sum(1 for result in self.files if result.deleted)

    @property
    def left(self) -> int:
        """Objects that were to be deleted on the camera, and were not; each says why."""
        return sum(1 for result in self.files if result.left)

    @property
    def unread_copies(self) -> int:
        """Copies that were here already, taken for the file's by name, size and date alone."""
        return sum(
            copy.status == "already here" and not copy.compared
            for result in self.files
            for copy in result.copies
        )

    def copies(self, status: CopyStatus) -> int:
        """How many copies in further folders ended so."""
        return sum(copy.status == status for result in self.files for copy in result.copies)

    @property
    def remaining(self) -> int:
        """Objects the run did not come to, the unfinished one included."""
        return self.objects - self.downloaded - self.skipped - self.failed

    @property
    def ok(self) -> bool:
        """Whether nothing failed, no copy and no storage either, and nothing was left over but what
        a dry run planned. An object left on the camera is no failure, one that vanished from it is.
        """
        failed = self.failed or self.copies("failed") or self.storages or self.vanished
        return not failed and self.remaining == self.count("planned")

    @property
    def mb_per_s(self) -> float:
        """Megabytes (10^6 bytes) a second, over the whole run; 0 when nothing was moved."""
        return self.bytes / self.seconds / 1e6 if self.bytes and self.seconds > 0 else 0.0
