"""The observer of a `pull`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...ptp.errors import PTPError
    from ...ptp.objects import ObjectInfo
    from .report import Report
    from .results import FileResult, Shortage


class Observer:
    """An observer that does nothing. Override the methods that you need.

    All methods are called from the thread that called `pull`. With several cameras they are called
    from one thread for each camera, one call at a time. Their exceptions end the run.
    """

    def of_camera(self, name: str) -> Observer:
        """Return the observer of one camera of several; by default this one.

        Args:
            name: the camera's address.
        """
        return self

    def ended(self, report: Report, error: BaseException | None) -> None:
        """Report that one camera of several is done; `error` is what ended it early, if anything.

        The other cameras go on.
        """

    def listing(self, done: int, total: int) -> None:
        """Report that `done` of `total` objects are described."""

    def confirming(self, done: int, total: int) -> None:
        """Report that `done` of `total` objects from the index were compared with the camera,
        before they are downloaded."""

    def planned(self, report: Report, count: int, size: int) -> None:
        """Report how much the run will fetch: `count` objects, `size` missing bytes.

        Repeated while the listing goes on; it is complete when `report.listed` is true.
        """

    def short(self, shortage: Shortage) -> None:
        """Report that a folder is too small: the files that fit are stored. Repeated at the end."""

    def started(self, info: ObjectInfo, path: Path, kept: int) -> None:
        """Report that an object is under way; `kept` bytes of an earlier run may be of use."""

    def progress(self, info: ObjectInfo, received: int, size: int | None) -> None:
        """Report that `received` of `size` bytes are here, including those of an earlier run."""

    def finished(self, result: FileResult) -> None:
        """Report that an object is done, complete or not."""

    def lost(self, error: PTPError) -> None:
        """Report that the connection is lost and will be made again."""

    def reconnecting(self, tries: int) -> None:
        """Report that try number `tries` to reconnect comes next, counted since the last byte."""

    def waiting(self, error: PTPError) -> None:
        """Report that the camera is waited for, as it may hold an earlier session, or its owner.

        The owner has to confirm something on the camera then, as the message says.
        """

    def busy(self, error: PTPError, waited_s: float) -> None:
        """Report several times a second that the camera has been busy for `waited_s` seconds."""

    def storing(self, files: int, waited_s: float) -> None:
        """Report several times a second that the disk is waited for.

        `files` received files are not stored yet; the run has waited for `waited_s` seconds.
        """

    def hashing(self, path: Path) -> None:
        """Report that an existing file is read for the manifest."""

    def comparing(self, path: Path) -> None:
        """Report that an object is read again to prove its existing file."""
