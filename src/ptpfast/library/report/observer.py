"""Who is told how a `pull` gets on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...ptp.errors import PTPError
    from ...ptp.objects import ObjectInfo
    from .report import Report
    from .results import FileResult, Shortage


class Observer:
    """Is told what happens; does nothing. Override what you want to know.

    All methods are called from the thread that called `pull`; what they raise ends the run.
    """

    def listing(self, done: int, total: int) -> None:
        """`done` of `total` objects have been described."""

    def confirming(self, done: int, total: int) -> None:
        """Before they are fetched, `done` of `total` objects that an earlier session has described
        have been compared with what the camera says of them now."""

    def planned(self, report: Report, count: int, size: int) -> None:
        """As far as the listing goes, `count` objects are to be fetched in this run, `size` bytes
        of them not here yet. Told again as it goes on; `report.listed` says that this was all."""

    def short(self, shortage: Shortage) -> None:
        """A folder is too small for all its files: those that fit will be stored. Told when it is
        first seen, and again when all is listed."""

    def started(self, info: ObjectInfo, path: Path, kept: int) -> None:
        """An object is under way to `path`; `kept` bytes of an earlier run may be of use."""

    def progress(self, info: ObjectInfo, received: int, size: int | None) -> None:
        """`received` of its `size` bytes are here, those of an earlier run included."""

    def finished(self, result: FileResult) -> None:
        """An object is done with, one way or another."""

    def lost(self, error: PTPError) -> None:
        """The connection is lost, and about to be made again."""

    def waiting(self, error: PTPError) -> None:
        """The camera seems to hold an earlier session, and is waited for."""

    def busy(self, error: PTPError, waited_s: float) -> None:
        """The camera is busy, and has been asked again for `waited_s` seconds; several times a
        second."""

    def hashing(self, path: Path) -> None:
        """A file that is here already is being read for the manifest."""

    def comparing(self, path: Path) -> None:
        """An object whose file is here already is being read again, to prove that file."""
