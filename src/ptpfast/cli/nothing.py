"""The messages for a run that has nothing to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..library.plan.selection import KINDS

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
    if not selection:
        return "nothing to download"
    if names := [part for part in selection.split(", ") if _is_a_whole_name(part)]:
        advice = f"for names that begin so, write '{names[0]}*'; {advice}"
    return f"0 of {found:,} files match {selection}; {advice}"


def _is_a_whole_name(part: str) -> bool:
    """Return whether a part of a selection is a pattern that can match one name only."""
    return part not in KINDS and not any(sign in part for sign in " *?[.")
