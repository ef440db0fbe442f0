"""Deletions on the camera after a proof at the destination.

The file there is read back after it was written, and its SHA-256 must be that of the bytes that the
camera sent. The log of deletions is in the user's data folder, one for each destination: a log at
the destination could not be appended to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ...ownership import folders
from ...ptp.errors import PTPError, SinkError, TransferError
from ...state.catalog_file import folder as data_folder
from ...transfer.journal import Identity
from ..keep.deletion import Deletion
from ..keep.deletion_journal import DeletionJournal
from ..keep.volatile import Lasting
from ..report.results import ALREADY_HERE
from .folder import remote

if TYPE_CHECKING:
    from ...listing import Listing
    from ...session.persistence import Persistence
    from ..report.report import Report
    from ..report.results import FileResult
    from .target import Target


class RemoteDeletion(Deletion):
    """The deletions of a run whose files are on another computer."""

    def __init__(
        self,
        persistence: Persistence,
        listing: Listing,
        report: Report,
        chunk: int | None,
        target: Target,
    ) -> None:
        """Take the listing of the run."""
        self._target = target
        super().__init__(persistence, listing, report, chunk)
        self._lasting = _Elsewhere()

    def _new_journal(self, destination: Path) -> DeletionJournal:
        return _Journal(journal_folder(str(destination)))

    def _size_of(self, path: Path) -> int:
        found = self._target.look(remote(path))
        if found is None:
            raise FileNotFoundError(2, "it is no longer there")
        return found.size

    def holds(self, result: FileResult, sent: str) -> bool:
        """Return whether a result's file has that SHA-256 there; else mark it failed."""
        assert result.path is not None
        if result.transfer is not None and result.transfer.sha256 == sent:
            return True  # it was read back in this run, under the name that was then moved
        try:
            if self._target.hexdigest(remote(result.path), "sha256") != sent:
                known = result.reason == ALREADY_HERE
                raise TransferError(
                    f"{result.path} differs from the bytes that the camera sent; "
                    "the object stays on the camera",
                    hint="move the file away, then run it again" if known else "run it again",
                )
        except PTPError as error:
            result.status, result.reason, result.error = "failed", str(error), error
            result.left = "the file there is not proven"
            return False
        return True


class _Elsewhere(Lasting):
    """The folders of another computer, of which nothing tells whether they are in its memory."""

    def why_not(self, paths: Iterable[Path]) -> str:
        """Return '': it cannot be told."""
        return ""


class _Journal(DeletionJournal):
    """The journal of one destination, in a folder that only this user can write to."""

    def _append(self, line: bytes) -> None:
        folders.make(self.path.parent, 0o700)
        super()._append(line)

    def pending_here(self, camera: str) -> list[tuple[Identity, int | None]]:
        """Return the pending deletions of a camera: all are of this destination."""
        return [(identity, each.storage_id) for identity, each in self.pending(camera).items()]


def journal_folder(url: str) -> Path:
    """Return the folder of the journal of a destination. SinkError for a user without a home."""
    try:
        folder = data_folder()
    except RuntimeError as error:
        raise SinkError(f"deletions cannot be logged: {error}") from error
    name = hashlib.sha256(url.encode(errors="surrogateescape")).hexdigest()[:32]
    return folder / "deletions" / name
