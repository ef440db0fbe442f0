"""The folder that a run stores into: made for the first file, and the same one to the end."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from ...ownership.folders import Held
from ...ptp.errors import SinkError
from .places import folder_error, make


class Destination:
    """The folder, and the one below it that the next file goes into.

    Attributes:
        held: the folder once there is a first file for it; else None.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.held: Held | None = None
        self._below: tuple[Path, Held] | None = None

    def check(self) -> None:
        """Raise SinkError when another folder, or none, has a folder's name by now."""
        if self.held is not None:
            self.held.check()
        if self._below is not None:
            self._below[1].check()

    def prepare(self, folder: Path | None = None) -> None:
        """Create and hold the folder, the first time, and one below it; then check them.

        Args:
            folder: the folder of the next file, in or below the destination.

        Raises:
            SinkError: it cannot be made, or has been replaced.
        """
        if self.held is None:
            make(self.path)
            self.held = _hold(self.path)
        self.check()
        if folder is None or (self._below is not None and self._below[0] == folder):
            return
        self._leave()
        if folder != self.path:
            self._check_inside(folder)
            make(folder)
            self._below = folder, _hold(folder)
            self._check_inside(folder)

    def _check_inside(self, folder: Path) -> None:
        """Raise SinkError if a link that appeared since the plan leads out of the destination."""
        expected = os.path.join(os.path.realpath(self.path), folder.relative_to(self.path))
        if os.path.realpath(folder) != expected:
            raise SinkError(
                f"{folder} leads to another place by a link",
                errno=errno.ELOOP,
                hint="remove the link, then run it again",
            )

    def _leave(self) -> None:
        if self._below is not None:
            self._below[1].close()
            self._below = None

    def close(self) -> None:
        """Close the folders."""
        self._leave()
        if self.held is not None:
            self.held.close()


def _hold(path: Path) -> Held:
    try:
        return Held(path)
    except OSError as error:
        raise folder_error(path, error) from error
