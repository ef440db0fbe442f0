"""What is said of a folder that is too small for a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..engine.text import in_text
from ..library.plan.room import FULL
from .output import human_size, plural

if TYPE_CHECKING:
    from ..library.report.results import Shortage


def is_full(error: BaseException | None) -> bool:
    """Whether an error says that a disk has no room."""
    return isinstance(error, OSError) and error.errno in FULL


def short_line(shortage: Shortage) -> str:
    """Return the line about a disk that is too small."""
    fit = f"{shortage.fit:,} of {plural(shortage.count, 'file')}"
    fits = "fits" if shortage.fit == 1 else "fit"
    return (
        f"{human_size(shortage.free)} free in {shortage.folder}: {fit} {fits} "
        f"({human_size(shortage.size)})"
    )


def short_record(shortage: Shortage) -> dict[str, Any]:
    """Return its JSON fields."""
    fields = {name: getattr(shortage, name) for name in ("free", "fit", "count", "size")}
    return {"folder": in_text(str(shortage.folder)), **fields}
