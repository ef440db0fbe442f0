"""The folder that a run stores into: made for the first file, and the same one to the end."""

from __future__ import annotations

from pathlib import Path

from ...ownership.folders import Held
from .folder import folder_error, make


class Destination:
    """The folder; `held` once there is a first file for it. SinkError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.held: Held | None = None

    def check(self) -> None:
        """SinkError when another folder, or none, has its name by now."""
        if self.held is not None:
            self.held.check()

    def prepare(self) -> None:
        """Create the folder and check it, the first time."""
        if self.held is None:
            make(self.path)
            try:
                self.held = Held(self.path)
            except OSError as error:
                raise folder_error(self.path, error) from error
        self.check()

    def close(self) -> None:
        """Close the folder."""
        if self.held is not None:
            self.held.close()
