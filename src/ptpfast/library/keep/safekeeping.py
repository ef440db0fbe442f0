"""The copies of a file, and then its deletion on the camera.

`copies` are folders that get every file of the run, including files that existed before. Each copy
is read back from the disk, and compared with the received bytes, before it gets its name. The copy
of an earlier run's file must equal that file, and its line in `SHA256SUMS` if there is one.
Existing copies are known by name, size and date. Nothing is replaced in these folders. If the name
of a copy is taken, it gets the next free number, or fails with `on_conflict` `skip` or `fail`. A
failed copy is recorded in its result's `copies`.

`delete_verified` deletes an object when the file and all copies are proven. They must have, on the
disk and under their final names, the SHA-256 of the bytes that the camera sent in this run. If the
file existed before, or was begun by an earlier run, the object is read again. An object that stays
is no failure; its result's `left` has the reason. `deletion_journal` has the log.

Objects of this run are handled as soon as their files have names. Files that existed before wait
until the whole card is listed, because decisions about them can still change.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ...ownership.names import MANIFEST_NAME
from ...ptp.errors import ResponseError, SinkError, TransferError
from ..report.report import Report
from ..report.results import ALREADY_HERE, FileResult
from .manifest import Manifest

if TYPE_CHECKING:
    from ..plan.folder import Folder
    from ..report.observer import Observer
    from ..report.results import Shortage
    from .copies import Copies
    from .deletion import Deletion

log: logging.Logger = logging.getLogger("ptpfast")


class Safekeeping:
    """The copies and deletions of a run.

    copies, deletes, active: whether it makes copies, deletes, or does one of the two. proven: the
    SHA-256 of files that were here already and equal what the camera sent in this run.
    """

    def __init__(
        self, copies: Copies, deletion: Deletion | None, report: Report, observer: Observer
    ) -> None:
        self.copies: bool = bool(copies)
        self.deletes: bool = deletion is not None
        self.active: bool = self.copies or self.deletes
        self.proven: dict[Path, str] = {}
        self._copies = copies
        self._deletion = deletion
        self._report = report
        self._observer = observer
        self._waiting: deque[FileResult] = deque()

    def shortages(self, sizes: Sequence[int], main: Folder) -> list[Shortage]:
        """Return the folders that are too small for copies of so many bytes each."""
        return self._copies.shortages(sizes, main)

    def add(self, result: FileResult) -> None:
        """Add a result to the report and tell the observer; an incomplete one at the end."""
        self._report.files.append(result)
        if self.active and result.status == "skipped":
            self._waiting.append(result)
        else:
            self._observer.finished(result)

    @contextmanager
    def telling_rest(self) -> Iterator[None]:
        """Tells of the results that still wait when the run ends early."""
        try:
            yield
        except BaseException:
            for result in self._pending():
                self._observer.finished(result)
            raise

    def copy(self, result: FileResult) -> None:
        """Make the copies of a file that has arrived in this run. Needs no camera."""
        assert result.transfer is not None
        if not self._must_be_read_again(result):
            self._copies.complete(result, result.transfer.sha256, prove=True)

    def settle(self, result: FileResult) -> None:
        """Delete the object of a file that was received in this run and has its copies."""
        assert result.transfer is not None
        if not self.deletes:
            return
        if self._must_be_read_again(result):
            self._read_and_keep(result, result.transfer.sha256, prove=True)
        else:
            self._delete(result, result.transfer.sha256)

    def leave(self, result: FileResult) -> None:
        """Note that the run ended before the object of a stored file was deleted."""
        if self.deletes:
            result.left = "the run ended before"

    def _must_be_read_again(self, result: FileResult) -> bool:
        """Whether another process received some of the bytes: the note beside the part file is all
        that says what they must be, and nothing is deleted on the word of a file."""
        assert result.transfer is not None
        return self.deletes and result.transfer.begun_elsewhere

    def finish(self, manifest: Manifest | None) -> None:
        """Everything for the files that were here already, and for what an earlier run has left
        undone. manifest: what is known of them; by default `SHA256SUMS` beside them."""
        if not self.active:
            return
        if manifest is None and self._waiting:
            manifest = _sums(self._report.destination)
        for result in self._pending():
            try:
                if result.reason == ALREADY_HERE:
                    # What arrived then is known from the list of checksums alone, if it is in it.
                    known = None
                    if manifest is not None and result.path is not None:
                        known = manifest.sha256(result.path)
                    self._read_and_keep(result, known, prove=False)
                elif self._deletion is not None:
                    result.left = result.reason
            finally:
                self._observer.finished(result)
        if self._deletion is not None:
            self._deletion.look_after()
            self._deletion.renew_index()

    def check(self) -> None:
        """SinkError when a deletion could not be noted, so that nothing more was deleted."""
        if self._deletion is not None:
            self._deletion.check()

    def plan(self, result: FileResult) -> None:
        """Record in a result what a run would do with its file, for a dry run."""
        if self._deletion is not None and result.object is not None:
            result.left = self._deletion.exempt(result.object)
            if result.status == "skipped" and result.reason != ALREADY_HERE:
                result.left = result.reason
            result.to_delete = not result.left
        if result.status == "planned" or result.reason == ALREADY_HERE:
            self._copies.plan(result)

    def plan_rest(self) -> None:
        """`plan` of all that were here already."""
        for result in self._pending():
            self.plan(result)
            self._observer.finished(result)

    def _pending(self) -> Iterator[FileResult]:
        """Yield those that wait, without what was retracted since."""
        valid = {id(result) for result in self._report.files}
        while self._waiting:
            result = self._waiting.popleft()
            if id(result) in valid:
                yield result

    def _keep(self, result: FileResult, sent: str | None) -> None:
        """sent: SHA-256 of what the camera sent in this run."""
        assert result.object is not None
        self._copies.complete(result, sent, prove=True)
        self._delete(result, sent)

    def _delete(self, result: FileResult, sent: str | None) -> None:
        assert result.object is not None
        if self._deletion is not None:
            result.left = self._deletion.exempt(result.object)
            if not result.left and sent is not None:
                self._deletion.delete(result, sent)

    def _read_and_keep(self, result: FileResult, known: str | None, *, prove: bool) -> None:
        """For a file that was not all sent in this run: to delete its object, that is read again.

        known: the SHA-256 that was noted of the file, for its copies if it is not deleted.
        """
        assert result.object is not None
        assert result.path is not None
        deletion = self._deletion
        if deletion is not None and not (exempt := deletion.exempt(result.object)):
            self._observer.comparing(result.path)
            try:
                sent = deletion.read_again(result.object)
            except (ResponseError, TransferError) as error:
                result.left = f"it cannot be read again: {error.message}"
            else:
                if deletion.holds(result, sent):
                    result.compared = True
                    self.proven[result.path] = sent
                    self._keep(result, sent)
                return
        elif deletion is not None:
            result.left = exempt
        self._copies.complete(result, known, prove=prove)


def _sums(folder: Path) -> Manifest | None:
    """Return the checksums beside the files; empty if they cannot be read."""
    try:
        return Manifest(folder / MANIFEST_NAME)
    except SinkError as error:
        log.warning("%s", error)
        return None
