"""The folders of this user: configuration, cache and data."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def user_folder(switch: str, mac: str, xdg: str, usual: str) -> Path:
    """Return the folder for one kind of files.

    Args:
        switch: The environment variable of ptpfast that names the folder itself.
        mac: The parent folder on macOS, below the home.
        xdg: The environment variable of the XDG specification that names the parent folder. A
            relative path is ignored, as the specification says.
        usual: The parent folder without it, below the home.

    Raises:
        RuntimeError: The user has no home.
    """
    if given := os.environ.get(switch):
        return Path(given)
    if sys.platform == "darwin":
        return Path.home() / mac / "ptpfast"
    base = os.environ.get(xdg, "")
    return (Path(base) if os.path.isabs(base) else Path.home() / usual) / "ptpfast"
