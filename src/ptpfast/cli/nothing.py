"""Why there is nothing to do, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..library.report.report import Report


def nothing_line(report: Report) -> str:
    """Why there is nothing to do: nothing matches, or nothing is there."""
    return nothing_text(report.found, report.selection, "'ptpfast ls' shows what is there")


def nothing_text(found: int, selection: str, advice: str) -> str:
    """Return why nothing matches, for a number of files and a selection in words.

    Args:
        found: how many files are on the camera.
        selection: what was asked for; empty for everything.
        advice: what to do if nothing matches.
    """
    if not found:
        return "no files on the camera"
    return f"0 of {found:,} match {selection}; {advice}" if selection else "nothing to download"
