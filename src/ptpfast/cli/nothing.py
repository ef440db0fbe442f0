"""Why there is nothing to do, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..library.report.report import Report


def nothing_line(report: Report) -> str:
    """Why there is nothing to do: nothing matches, or nothing is there."""
    return nothing_text(report.found, report.selection)


def nothing_text(found: int, selection: str) -> str:
    """Return why nothing matches, for a number of files and a selection in words."""
    if not found:
        return "no files on the camera"
    return f"0 of {found:,} match {selection}" if selection else "nothing to download"
