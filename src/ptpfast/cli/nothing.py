"""The messages for a run that has nothing to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..library.report.report import Report


def nothing_line(report: Report) -> str:
    """Return why there is nothing to do: nothing matches, or the card is empty."""
    return nothing_text(report.found, report.selection, "'ptpfast ls' shows what is there")


def nothing_text(found: int, selection: str, advice: str) -> str:
    """Return why nothing matches.

    Args:
        found: Number of files on the camera.
        selection: The selection in words; empty for everything.
        advice: What to do if nothing matches.
    """
    if not found:
        return "no files on the camera"
    return (
        f"0 of {found:,} files match {selection}; {advice}" if selection else "nothing to download"
    )
