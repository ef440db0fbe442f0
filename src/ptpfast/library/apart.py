"""Whether two folders are one: the second would then hold no copy of its own.

Paths and inode numbers tell of links and bind mounts. An overlay and its upper folder, or one share
that is mounted twice, have different ones; there a file that is made in one folder is looked for in
the other.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..errors import SinkError
from ..ownership.folders import marker
from .folder import nearest


def check_different(destination: Path, copies: Sequence[Path], *, mark: bool) -> None:
    """ValueError when two of the folders are the same one, or will be when they are made. mark:
    files may be made in them, or in the nearest of their parents, to find out."""
    seen: list[Path] = []
    for folder in (destination, *copies):
        for other in seen:
            if is_one(folder, other, mark=mark):
                raise ValueError(f"{folder} and {other} are the same folder")
        seen.append(folder)


def is_one(one: Path, other: Path, *, mark: bool = True) -> bool:
    """Whether two paths lead to one folder, as far as that can be told."""
    if os.path.realpath(one) == os.path.realpath(other):
        return True
    try:
        if os.path.samefile(one, other):
            return True
    except OSError:  # one that is still to be made
        pass
    return mark and (_is_seen(one, other) or _is_seen(other, one))


def _is_seen(one: Path, other: Path) -> bool:
    """Whether a file that is made in a folder is found in another; or in the places where they will
    be made, if they are to have the same path there."""
    one, other = Path(os.path.abspath(one)), Path(os.path.abspath(other))
    try:
        place = nearest(one)
        missing = one.relative_to(place).parts
        if other.parts[len(other.parts) - len(missing) :] != missing:
            return False
        there = Path(*other.parts[: len(other.parts) - len(missing)])
        with marker(os.fspath(place)) as name:
            return os.path.lexists(there / name)
    except (OSError, SinkError):  # nothing can be made there
        return False
