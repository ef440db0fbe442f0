"""Find out whether two paths lead to the same folder, where a second copy would be no copy.

Paths and inode numbers show links and bind mounts. An overlay and its upper folder, or a share that
is mounted twice, have different ones: a file is created in one folder and looked for in the other.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ...ownership.markers import is_marked, marker
from ...ptp.errors import SinkError
from ...state.catalog_file import folder as data_folder
from ...state.index import folder as index_folder
from ...state.tuning import path as tunings
from .places import is_same, nearest


def check_different(destination: Path, copies: Sequence[Path], *, mark: bool) -> None:
    """Raise ValueError if two of the folders are the same, or will be once they are created.

    Also if ptpfast keeps its own files in one: an object could get the name of such a file. mark:
    whether files may be created in them, or in their nearest parents, to find out.
    """
    for folder in (destination, *copies):
        for ours, what in own_folders():
            if is_same(folder, ours):
                raise ValueError(f"{folder} is where ptpfast keeps {what}; use another folder")
    seen: list[Path] = []
    for folder in (destination, *copies):
        for other in seen:
            if is_one(folder, other, mark=mark):
                raise ValueError(f"{folder} and {other} are the same folder")
        seen.append(folder)


def own_folders() -> list[tuple[Path, str]]:
    """Return the folders of the package's own files, and what it keeps there."""
    try:
        cache, settings, data = index_folder(), tunings().parent, data_folder()
    except RuntimeError:  # a user without a home folder
        return []
    return [
        (cache, "its cache (PTPFAST_CACHE)"),
        (settings, "its settings (PTPFAST_CONFIG)"),
        (data, "its history (PTPFAST_DATA)"),
    ]


def is_one(one: Path, other: Path, *, mark: bool = True) -> bool:
    """Return whether two paths lead to one folder, as far as this can be found out."""
    if os.path.realpath(one) == os.path.realpath(other):
        return True
    if not mark:
        return is_same(one, other)
    seen = (_is_seen(one, other), _is_seen(other, one))
    if True in seen:
        return True
    # Some filesystems have one inode number for all: a marker that is not found tells better.
    return None in seen and is_same(one, other)


def _is_seen(one: Path, other: Path) -> bool | None:
    """Whether a file that is made in a folder is found in another; or in the places where they will
    be made, if they are to have the same path there. None where no file can be made."""
    one, other = Path(os.path.abspath(one)), Path(os.path.abspath(other))
    try:
        place = nearest(one)
        missing = one.relative_to(place).parts
        if other.parts[len(other.parts) - len(missing) :] != missing:
            return False
        there = Path(*other.parts[: len(other.parts) - len(missing)])
        with marker(os.fspath(place)) as (name, token):
            return is_marked(there / name, token)
    except (OSError, SinkError):
        return None
